// SPDX-License-Identifier: Apache-2.0
#include "cli/audit_outputs.hpp"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <optional>

#include "output/csv_sink.hpp"
#include "output/evidence_text.hpp"
#include "output/folded.hpp"
#include "output/format.hpp"
#include "output/rows.hpp"
#include "output/screen.hpp"
#include "output/summary.hpp"

namespace mapaudit::cli {
namespace {

bool csv_has_stdout(const AuditOptions& options) { return options.csv == "-"; }

}  // namespace

struct Outputs::Parts {
    output::View view;
    std::unique_ptr<output::Sink> csv, rows;
    std::unique_ptr<output::Screen> screen;
    std::optional<output::FoldedFile> folded;
};

Outputs::Outputs(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Outputs::Outputs(Outputs&&) noexcept = default;
Outputs::~Outputs() = default;

Result<Outputs> Outputs::open(const AuditOptions& options) {
    auto parts = std::make_unique<Parts>();
    auto view = make_view(options);
    if (!view) return view.error();
    parts->view = std::move(*view);
    if (!options.csv.empty()) {
        auto csv = output::CsvSink::make(options.csv);
        if (!csv) return csv.error();
        parts->csv = std::move(*csv);
    }
    if (!options.folded.empty()) {
        auto folded = output::FoldedFile::make(options.folded);
        if (!folded) return folded.error();
        parts->folded.emplace(std::move(*folded));
    }
    return Outputs(std::move(parts));
}

Result<void> Outputs::show(const AuditOptions& options) {
    if (options.quiet > 0 || csv_has_stdout(options)) return {};
    if (!options.plain && ::isatty(STDOUT_FILENO) != 0) {
        auto screen = output::Screen::make(parts_->view);
        if (screen) {
            parts_->screen = std::move(*screen);
            return {};
        }
        spdlog::info("no live screen: {}", screen.error().line());
    }
    auto file = output::OutputFile::open("-");
    if (!file) return file.error();
    parts_->rows = std::make_unique<output::RowStream>(std::move(*file), parts_->view);
    return {};
}

Result<void> Outputs::write(const model::Report& report) {
    if (parts_->csv != nullptr) {
        model::Report matching = report;
        output::keep_matching(matching, parts_->view.filter);
        if (auto written = parts_->csv->write(matching); !written) return written;
    }
    if (parts_->rows != nullptr)
        if (auto written = parts_->rows->write(report); !written) return written;
    if (parts_->screen != nullptr) return parts_->screen->write(report);
    return {};
}

Result<void> Outputs::write_folded(const model::Report& total) {
    if (!parts_->folded) return {};
    return parts_->folded->write(output::folded_evidence(total, parts_->view.filter));
}

void Outputs::leave_screen() { parts_->screen.reset(); }
int Outputs::keyboard_fd() const { return parts_->screen != nullptr ? parts_->screen->fd() : -1; }
bool Outputs::quit_asked() { return parts_->screen != nullptr && parts_->screen->poll_keys(); }

void Outputs::summarize(const model::Report& total, const AuditOptions& options) {
    const output::EvidenceView evidence{parts_->view.filter, options.stacks};
    auto file = csv_has_stdout(options) ? output::OutputFile::lent(STDERR_FILENO, "stderr")
                                        : output::OutputFile::lent(STDOUT_FILENO, "stdout");
    output::SummaryRows table;
    table.sort = parts_->view.sort;
    output::SummarySink summary(std::move(file), evidence, table);
    (void)summary.write(total);
}

}  // namespace mapaudit::cli
