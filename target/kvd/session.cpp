// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <utility>

#include "reply.hpp"

namespace kvd {
namespace {

constexpr std::string_view out_of_memory = "SERVER_ERROR out of memory storing object";

std::string_view stored_line(Outcome outcome) {
    switch (outcome) {
        case Outcome::done: return "STORED";
        case Outcome::exists: return "EXISTS";
        case Outcome::not_found: return "NOT_FOUND";
        case Outcome::too_large: return "SERVER_ERROR object too large for cache";
        case Outcome::no_memory: return out_of_memory;
        case Outcome::not_stored:
        case Outcome::not_numeric: break;
    }
    return "NOT_STORED";
}

StoreMode mode_of(Verb verb) {
    switch (verb) {
        case Verb::add: return StoreMode::add;
        case Verb::replace: return StoreMode::replace;
        case Verb::append: return StoreMode::append;
        case Verb::prepend: return StoreMode::prepend;
        case Verb::cas: return StoreMode::cas;
        default: return StoreMode::set;
    }
}

}  // namespace

Session::Next Session::run(std::string& out) {
    for (;;) {
        if (getting_ && !go_on_getting(out)) return Next::run;
        if (out.size() >= enough_bytes) return Next::run;
        auto parsed = parser_.next();
        if (!parsed) return Next::read;
        auto* request = std::get_if<Request>(&*parsed);
        const Next next = request != nullptr ? carry_out(*request, out) : refuse(std::get<Refusal>(*parsed), out);
        if (next == Next::close) return next;
    }
}

Session::Next Session::refuse(const Refusal& refusal, std::string& out) {
    if (!refusal.stale_key.empty()) store_.remove(refusal.stale_key);
    if (!refusal.noreply) append_line(out, refusal.line);
    return refusal.close ? Next::close : Next::run;
}

bool Session::go_on_getting(std::string& out) {
    for (; keys_done_ < getting_->keys.size(); ++keys_done_) {
        if (out.size() >= enough_bytes) return false;
        const std::string& key = getting_->keys[keys_done_];
        const ItemPtr item = store_.get(key);
        statistics_.count(Counter::cmd_get);
        statistics_.count(item != nullptr ? Counter::get_hits : Counter::get_misses);
        if (item != nullptr) append_value(out, key, *item, getting_->verb == Verb::gets);
    }
    append_line(out, "END");
    getting_.reset();
    return true;
}

std::string_view Session::store(Request& request) {
    statistics_.count(Counter::cmd_set);
    const Outcome outcome = store_.store(mode_of(request.verb), request.keys[0],
                                         {request.flags, request.exptime, std::move(request.value), request.cas});
    if (request.verb == Verb::cas) {
        if (outcome == Outcome::done) statistics_.count(Counter::cas_hits);
        if (outcome == Outcome::exists) statistics_.count(Counter::cas_badval);
        if (outcome == Outcome::not_found) statistics_.count(Counter::cas_misses);
    }
    return stored_line(outcome);
}

void Session::count(const Request& request, bool up, std::string& out) {
    const Counted counted =
        up ? store_.add(request.keys[0], request.delta) : store_.subtract(request.keys[0], request.delta);
    if (counted.outcome == Outcome::done) statistics_.count(up ? Counter::incr_hits : Counter::decr_hits);
    if (counted.outcome == Outcome::not_found) statistics_.count(up ? Counter::incr_misses : Counter::decr_misses);
    switch (counted.outcome) {
        case Outcome::done: return append_line(out, std::to_string(counted.value));
        case Outcome::not_numeric:
            return append_line(out, "CLIENT_ERROR cannot increment or decrement non-numeric value");
        case Outcome::no_memory: return append_line(out, out_of_memory);
        default: return append_line(out, "NOT_FOUND");
    }
}

Session::Next Session::carry_out(Request& request, std::string& out) {
    const std::size_t replied = out.size();
    const auto said = [&](Outcome outcome, std::string_view done, Counter hit, Counter miss) {
        statistics_.count(outcome == Outcome::not_found ? miss : hit);
        append_line(out, outcome == Outcome::done ? done : outcome == Outcome::not_found ? "NOT_FOUND" : out_of_memory);
    };
    switch (request.verb) {
        case Verb::get:
        case Verb::gets:
            getting_ = std::move(request);
            keys_done_ = 0;
            return Next::run;
        case Verb::set:
        case Verb::add:
        case Verb::replace:
        case Verb::append:
        case Verb::prepend:
        case Verb::cas: append_line(out, store(request)); break;
        case Verb::remove:
            said(store_.remove(request.keys[0]), "DELETED", Counter::delete_hits, Counter::delete_misses);
            break;
        case Verb::touch:
            statistics_.count(Counter::cmd_touch);
            said(store_.touch(request.keys[0], request.exptime), "TOUCHED", Counter::touch_hits, Counter::touch_misses);
            break;
        case Verb::incr: count(request, true, out); break;
        case Verb::decr: count(request, false, out); break;
        case Verb::flush_all:
            statistics_.count(Counter::cmd_flush);
            store_.flush(request.exptime);
            append_line(out, "OK");
            break;
        case Verb::stats: append_stats(out, statistics_, store_); break;
        case Verb::version: append_line(out, "VERSION " + std::string(version())); break;
        case Verb::verbosity: append_line(out, "OK"); break;  // what it logs is the command line's to say
        case Verb::quit: return Next::close;
    }
    if (request.noreply) out.resize(replied);
    return Next::run;
}

}  // namespace kvd
