// SPDX-License-Identifier: Apache-2.0
//
// A value or an error that says what was being done, to what, why it failed, and what to do about it.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <variant>

namespace mapaudit {

// What a failure means to whoever started the program; main turns it into the exit code of the same number.
enum class Failure { failed = 1, usage = 2, no_target = 3, not_permitted = 4, gate = 5 };

struct Error {
    Failure kind = Failure::failed;
    std::string what;    // "cannot open /proc/7/maps: No such process"
    std::string remedy;  // "run as root", empty where there is none to name

    static Error of(Failure kind, std::string what, std::string remedy = {}) {
        return {kind, std::move(what), std::move(remedy)};
    }
    // Appends the meaning of `err`, an errno value.
    static Error from_errno(Failure kind, const std::string& what, int err, std::string remedy = {}) {
        return {kind, what + ": " + std::strerror(err), std::move(remedy)};
    }
    std::string line() const { return remedy.empty() ? what : what + " (" + remedy + ")"; }
};

template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const noexcept { return state_.index() == 0; }
    T& operator*() & { return std::get<0>(state_); }
    const T& operator*() const& { return std::get<0>(state_); }
    T&& operator*() && { return std::get<0>(std::move(state_)); }
    T* operator->() { return &std::get<0>(state_); }
    const T* operator->() const { return &std::get<0>(state_); }
    const Error& error() const { return std::get<1>(state_); }

private:
    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    Result() = default;
    Result(Error error) : error_(std::move(error)), failed_(true) {}
    explicit operator bool() const noexcept { return !failed_; }
    const Error& error() const { return error_; }

private:
    Error error_;
    bool failed_ = false;
};

}  // namespace mapaudit
