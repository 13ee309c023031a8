// SPDX-License-Identifier: Apache-2.0
//
// Single objects and fixed arrays by a map's allocator, rebound to what is wanted. Objects are constructed in place by
// us, not by the allocator's construct(): nothing is passed on to keys and values.
#ifndef MAPAUDIT_DETAIL_ALLOCATION_HPP
#define MAPAUDIT_DETAIL_ALLOCATION_HPP

#include <cstddef>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

namespace mapaudit::detail {

template <class Allocator, class T>
using rebound = typename std::allocator_traits<Allocator>::template rebind_alloc<T>;
template <class Allocator>
using text_of = std::basic_string<char, std::char_traits<char>, rebound<Allocator, char>>;

template <class Allocator>
inline constexpr bool is_standard = false;
template <class T>
inline constexpr bool is_standard<std::allocator<T>> = true;

template <class T, class Allocator, class... Args>
[[nodiscard]] T* make_with(const Allocator& allocator, Args&&... args) {
    rebound<Allocator, T> mine(allocator);
    T* const memory = std::allocator_traits<decltype(mine)>::allocate(mine, 1);
    try {
        return ::new (static_cast<void*>(memory)) T(std::forward<Args>(args)...);
    } catch (...) {
        std::allocator_traits<decltype(mine)>::deallocate(mine, memory, 1);
        throw;
    }
}
template <class T, class Allocator>
void destroy_with(const Allocator& allocator, T* object) noexcept {
    rebound<Allocator, T> mine(allocator);
    object->~T();
    std::allocator_traits<decltype(mine)>::deallocate(mine, object, 1);
}

template <class Allocator>
struct deleter {
    [[no_unique_address]] Allocator allocator;
    template <class T>
    void operator()(T* object) const noexcept {
        destroy_with(allocator, object);
    }
};
template <class T, class Allocator>
using owned = std::unique_ptr<T, deleter<Allocator>>;

template <class T, class Allocator, class... Args>
[[nodiscard]] owned<T, Allocator> own_with(const Allocator& allocator, Args&&... args) {
    return owned<T, Allocator>(make_with<T>(allocator, std::forward<Args>(args)...), {allocator});
}

// As many objects as were asked for, each made with the same arguments; neither moved nor resized.
template <class T, class Allocator>
class fixed_array {
public:
    template <class... Args>
    fixed_array(const Allocator& allocator, std::size_t count, const Args&... args)
        : allocator_(allocator), first_(traits::allocate(allocator_, count)), count_(count) {
        std::size_t made = 0;
        try {
            for (; made < count; ++made) ::new (static_cast<void*>(first_ + made)) T(args...);
        } catch (...) {
            release(made);
            throw;
        }
    }
    fixed_array(const fixed_array&) = delete;
    fixed_array& operator=(const fixed_array&) = delete;
    ~fixed_array() { release(count_); }

    T* begin() const noexcept { return first_; }
    T* end() const noexcept { return first_ + count_; }
    std::size_t size() const noexcept { return count_; }
    T& operator[](std::size_t index) const noexcept { return first_[index]; }

private:
    using traits = std::allocator_traits<rebound<Allocator, T>>;

    void release(std::size_t made) noexcept {
        std::destroy_n(first_, made);
        traits::deallocate(allocator_, first_, count_);
    }

    [[no_unique_address]] rebound<Allocator, T> allocator_;
    T* first_;
    std::size_t count_;
};

}  // namespace mapaudit::detail

#endif
