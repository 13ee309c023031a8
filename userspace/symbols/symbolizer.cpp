// SPDX-License-Identifier: Apache-2.0
#include "symbols/symbolizer.hpp"

#include <utility>

#include "symbols/message.hpp"

namespace mapaudit::symbols {
namespace {

// A target whose files bring down this many workers is asked for no more names.
constexpr std::size_t most_failures = 24;

std::string question(Question kind, const CapturedStack& captured) {
    return MessageWriter().value(kind).captured(captured).take();
}

}  // namespace

Result<std::unique_ptr<Symbolizer>> Symbolizer::make(int pid, std::chrono::milliseconds patience) {
    auto process = Process::open(pid);
    if (!process) return process.error();
    std::unique_ptr<Symbolizer> made(new Symbolizer(std::move(*process), patience));
    if (auto opened = made->files_.refresh(made->process_); !opened) return opened.error();
    // Started at once: it opens separate debug files, too, which may be gone with the target's container later.
    if (auto started = made->start_worker(); !started) return started.error();
    return made;
}

Result<void> Symbolizer::start_worker() {
    worker_.reset();
    auto worker = Worker::start(files_, patience_);
    if (!worker) return worker.error();
    worker_ = std::move(*worker);
    return {};
}

void Symbolizer::refresh() { open_new_files(); }

bool Symbolizer::open_new_files() {
    const auto changed = files_.refresh(process_);
    if (!changed || !*changed) return false;
    (void)start_worker();  // the one there is has not the new files; without one, the next question tries again
    return true;
}

// True when a walk that ended so is worth another try. Code that is generated all the time must not make us read the
// memory map all the time.
bool Symbolizer::may_be_new_code(const std::string& cut) {
    const auto now = std::chrono::steady_clock::now();
    if (cut != code_in_no_file || now - looked_for_new_code_ < std::chrono::seconds(1)) return false;
    looked_for_new_code_ = now;
    return open_new_files();
}

// Empty where no worker could answer.
std::string Symbolizer::ask(const std::string& request) {
    while (failures_ < most_failures) {
        if (!worker_ && !start_worker()) return {};
        if (auto reply = worker_->ask(request)) return std::move(*reply);
        ++failures_;
        const Worker::Position died_at = worker_->position();
        worker_.reset();
        distrust(died_at);
    }
    return {};
}

// What the worker was reading when it died is not read again; where that helped not, all of the file.
void Symbolizer::distrust(const Worker::Position& died_at) {
    if (died_at.part == Part::nothing || died_at.file >= files_.all().size()) return;
    MappedFile& file = files_.all()[died_at.file];
    Distrust& distrust = file.distrust;
    std::string what;
    if (died_at.part == Part::debug_info && !std::exchange(distrust.debug_info, true))
        what = "debug information";
    else if (died_at.part == Part::unwinding && !std::exchange(distrust.unwinding, true))
        what = "unwind information";
    else if (!std::exchange(distrust.symbols, true))
        what = "symbol table";
    if (what.empty()) return;
    remarks_.push_back("the " + what + " of " + file.name() + " is damaged: left out");
}

model::Stack Symbolizer::resolve(const CapturedStack& captured) {
    const std::string reply = ask(question(Question::stack, captured));
    MessageReader reader(reply);
    model::Stack stack;
    stack.frames = reader.frames();
    stack.cut = reader.text();
    if (!reader.good() || stack.frames.empty())
        return {frames_of(captured.ip, false), "the target's files cannot be read"};
    return may_be_new_code(stack.cut) ? resolve(captured) : stack;
}

std::vector<model::Frame> Symbolizer::frames_of(std::uint64_t address, bool is_return_address) {
    const std::string reply =
        ask(MessageWriter().value(Question::frames).value(address).value(is_return_address).take());
    MessageReader reader(reply);
    std::vector<model::Frame> frames = reader.frames();
    if (reader.good() && !frames.empty()) return frames;
    model::Frame bare;
    bare.offset = address;
    for (const MappedFile& file : files_.all())
        for (const Segment& segment : file.segments)
            if (address >= segment.start && address < segment.end) {
                bare.module = file.name();
                bare.offset = address - segment.start + segment.offset;
            }
    return {bare};
}

std::vector<std::uint64_t> Symbolizer::unwind(const CapturedStack& captured, std::string& cut) {
    const std::string reply = ask(question(Question::walk, captured));
    MessageReader reader(reply);
    std::vector<std::uint64_t> addresses = reader.items<std::uint64_t>();
    cut = reader.text();
    if (!reader.good() || addresses.empty()) {
        cut = "the target's files cannot be read";
        return {captured.ip};
    }
    return may_be_new_code(cut) ? unwind(captured, cut) : addresses;
}

}  // namespace mapaudit::symbols
