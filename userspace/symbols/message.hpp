// SPDX-License-Identifier: Apache-2.0
//
// What symbolizer and worker say to one another, as bytes. Both are the same program, so there is no version; but a
// worker that a damaged file took over may answer anything, so every length is checked.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "model/stack.hpp"
#include "symbols/unwinder.hpp"

namespace mapaudit::symbols {

enum class Question : std::uint8_t { frames, walk, stack };

class MessageWriter {
public:
    template <class T>
    requires std::is_trivially_copyable_v<T> MessageWriter& value(const T& item) {
        bytes_.append(reinterpret_cast<const char*>(&item), sizeof item);
        return *this;
    }
    MessageWriter& text(std::string_view s) {
        value(static_cast<std::uint32_t>(s.size()));
        bytes_ += s;
        return *this;
    }
    template <class T>
    MessageWriter& items(std::span<const T> all) {
        return text({reinterpret_cast<const char*>(all.data()), all.size_bytes()});
    }
    MessageWriter& frame(const model::Frame& f) {
        return text(f.function).text(f.file).value(f.line).text(f.module).value(f.offset).value(f.inlined);
    }
    MessageWriter& frames(const std::vector<model::Frame>& all) {
        value(static_cast<std::uint32_t>(all.size()));
        for (const model::Frame& f : all) frame(f);
        return *this;
    }
    MessageWriter& captured(const CapturedStack& c) {
        return value(c.ip).value(c.sp).value(c.bp).value(c.saved).items(c.memory).items(c.frame_pointers);
    }
    std::string take() { return std::move(bytes_); }

private:
    std::string bytes_;
};

// Reads zeros and empty texts behind the end, and remembers that it did.
class MessageReader {
public:
    explicit MessageReader(std::string_view bytes) : rest_(bytes) {}

    bool good() const { return good_; }
    template <class T>
        requires std::is_trivially_copyable_v<T> T value() {
            T item{};
            if (const std::string_view bytes = next(sizeof item); good_) std::memcpy(&item, bytes.data(), sizeof item);
            return item;
        }
    std::string_view text() { return next(value<std::uint32_t>()); }
    template <class T>
    std::vector<T> items() {
        const std::string_view bytes = text();
        std::vector<T> all(bytes.size() / sizeof(T));
        if (!all.empty()) std::memcpy(all.data(), bytes.data(), all.size() * sizeof(T));
        return all;
    }
    std::vector<model::Frame> frames() {
        std::vector<model::Frame> all;
        for (auto count = value<std::uint32_t>(); count > 0 && good_; --count) {
            model::Frame f;
            f.function = text();
            f.file = text();
            f.line = value<std::uint32_t>();
            f.module = text();
            f.offset = value<std::uint64_t>();
            f.inlined = value<std::uint8_t>() != 0;
            if (good_) all.push_back(std::move(f));
        }
        return all;
    }

private:
    std::string_view next(std::size_t bytes) {
        good_ = good_ && bytes <= rest_.size();
        const std::string_view taken = good_ ? rest_.substr(0, bytes) : std::string_view();
        rest_.remove_prefix(taken.size());
        return taken;
    }
    std::string_view rest_;
    bool good_ = true;
};

}  // namespace mapaudit::symbols
