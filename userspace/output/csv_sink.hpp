// SPDX-License-Identifier: Apache-2.0
//
// The CSV: one row per scope x map x op x cpu (RFC 4180's quoting, UTF-8, header first). Lines end with LF alone: awk,
// DuckDB and pandas read that alike, and a CR would stick to awk's last column.
#pragma once

#include <memory>
#include <string>

#include "output/file.hpp"
#include "output/sink.hpp"

namespace mapaudit::output {

class CsvSink final : public Sink {
public:
    // Makes or empties the file ("-": standard output) and writes the header, so that a full disk shows at once.
    static Result<std::unique_ptr<CsvSink>> make(const std::string& path);

    // All rows of the report, in one write.
    [[nodiscard]] Result<void> write(const model::Report& report) override;

private:
    explicit CsvSink(OutputFile file) : file_(std::move(file)) {}

    OutputFile file_;
    std::string buffer_;  // kept for its capacity
};

}  // namespace mapaudit::output
