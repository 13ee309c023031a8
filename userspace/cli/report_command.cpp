// SPDX-License-Identifier: Apache-2.0
//
// mapaudit report FILE: a recorded CSV as a page, folded stacks as a flame graph.
#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include "cli/commands.hpp"
#include "output/csv_recording.hpp"
#include "output/file.hpp"
#include "output/flame_graph.hpp"
#include "output/format.hpp"
#include "output/report_page.hpp"

namespace mapaudit::cli {
namespace {

namespace files = std::filesystem;

struct Arguments {
    std::string file, folded, out;
};

Result<std::string> content_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string content;
    std::error_code ignored;
    if (file && !files::is_directory(path, ignored)) {
        content.assign(std::istreambuf_iterator<char>(file), {});
        if (!file.bad()) return content;
    }
    if (files::is_directory(path, ignored)) errno = EISDIR;
    return Error::from_errno(Failure::failed, "cannot read " + output::escape(path), errno != 0 ? errno : EIO,
                             errno == ENOENT ? "give a file that --csv or --folded wrote" : "");
}

std::string file_name(const std::string& path) { return files::path(path).filename().string(); }

Result<std::string> flame_of(const std::string& content, const std::string& path, bool standalone) {
    auto tree = output::FlameTree::read(content, path);
    if (!tree) return tree.error();
    return output::flame_svg(*tree, file_name(path), standalone);
}

Result<std::string> page_of(const std::string& content, const Arguments& arguments) {
    auto recording = output::read_recording(content, arguments.file);
    if (!recording) return recording.error();
    std::string flame;
    if (!arguments.folded.empty()) {
        auto folded = content_of(arguments.folded);
        if (!folded) return folded.error();
        auto drawn = flame_of(*folded, arguments.folded, false);
        if (!drawn) return drawn.error();
        flame = std::move(*drawn);
    }
    return output::report_page(*recording, file_name(arguments.file), flame);
}

// "run.csv" becomes "run.html"; other names keep their ending.
std::string beside(const std::string& path, const std::string& usual_ending, const std::string& ending) {
    files::path made(path);
    if (made.extension() == usual_ending) made.replace_extension();
    return made.string() + ending;
}

Result<int> report(const Arguments& arguments) {
    auto content = content_of(arguments.file);
    if (!content) return content.error();
    const bool is_recording = output::looks_like_recording(*content);
    if (!is_recording && !output::looks_like_folded(*content))
        return Error::of(Failure::failed,
                         output::escape(arguments.file) +
                             " line 1: neither the header of a CSV of mapaudit's nor a "
                             "folded stack",
                         "give a file that --csv or --folded wrote");
    if (!is_recording && !arguments.folded.empty())
        return Error::of(Failure::usage, output::escape(arguments.file) + " holds folded stacks itself",
                         "give the CSV first, and the stacks with --folded");
    auto drawn = is_recording ? page_of(*content, arguments) : flame_of(*content, arguments.file, true);
    if (!drawn) return drawn.error();
    std::string out = arguments.out;
    if (out.empty())
        out = is_recording ? beside(arguments.file, ".csv", ".html") : beside(arguments.file, ".folded", ".svg");
    std::error_code ignored;
    if (out != "-" && files::equivalent(out, arguments.file, ignored))
        return Error::of(Failure::usage, output::escape(out) + " is the file that is reported on",
                         "name another with -o");
    auto file = output::OutputFile::open(out);
    if (!file) return file.error();
    if (auto written = file->write(*drawn); !written) return written.error();
    if (out != "-") fmt::print(stderr, "mapaudit: wrote {}\n", output::escape(out));
    return 0;
}

}  // namespace

void add_report(CLI::App& program, Outcome& outcome) {
    auto arguments = std::make_shared<Arguments>();
    CLI::App* command =
        program.add_subcommand("report", "Draw a recorded CSV as an HTML page, or folded stacks as a flame graph");
    command->add_option("file", arguments->file, "What --csv or --folded wrote")->type_name("FILE")->required();
    command
        ->add_option("-o,--output", arguments->out,
                     "Write to OUT (- is stdout); default: FILE with the ending .html or .svg")
        ->type_name("OUT");
    command->add_option("--folded", arguments->folded, "Draw the stacks of F as a flame graph in the page")
        ->type_name("F");
    command->callback([arguments, &outcome] { outcome = report(*arguments); });
}

}  // namespace mapaudit::cli
