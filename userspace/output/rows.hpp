// SPDX-License-Identifier: Apache-2.0
//
// The plain row stream, for pipes, files and dumb terminals: the table of each interval, a line a map x op, with the
// time in front. Lines that begin with '#' after the time are remarks: above the rows, what is wrong, if anything is.
#pragma once

#include <cstdint>

#include "output/file.hpp"
#include "output/row_table.hpp"
#include "output/sink.hpp"
#include "output/view.hpp"

namespace mapaudit::output {

class RowStream final : public Sink {
public:
    RowStream(OutputFile file, View view);

    // Writes intervals; a total is the summary's to tell.
    [[nodiscard]] Result<void> write(const model::Report& report) override;

private:
    OutputFile file_;
    View view_;
    std::size_t lines_since_header_;
    bool pid_shown_ = false;
    std::uint64_t lost_before_ = 0;
};

}  // namespace mapaudit::output
