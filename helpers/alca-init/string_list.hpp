#pragma once

#include <cstddef>
#include <cstdlib>
#include <span>
#include <utility>

namespace alca::init {

// A list of borrowed C strings with a null pointer after the last, as execve(2) wants it.
class StringList {
  public:
    StringList() = default;
    StringList(StringList&& other) noexcept
        : items_(std::exchange(other.items_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)) {}
    StringList& operator=(StringList&& other) noexcept {
        std::swap(items_, other.items_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        return *this;
    }
    StringList(const StringList&) = delete;
    StringList& operator=(const StringList&) = delete;
    ~StringList() { std::free(static_cast<void*>(items_)); }

    // Room for `count` strings. False: out of memory.
    [[nodiscard]] bool reserve(std::size_t count) {
        if (items_ != nullptr && count <= capacity_) return true;
        void* grown = std::realloc(static_cast<void*>(items_), (count + 1) * sizeof(char*));
        if (grown == nullptr) return false;
        items_ = static_cast<char**>(grown);
        capacity_ = count;
        items_[size_] = nullptr;
        return true;
    }
    // reserve() has made room before.
    void add(char* text) {
        items_[size_++] = text;
        items_[size_] = nullptr;
    }

    // at: less than size().
    void replace(std::size_t at, char* text) { items_[at] = text; }

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::span<char* const> items() const { return {items_, size_}; }
    // Null-terminated; valid after reserve().
    [[nodiscard]] char* const* data() const { return items_; }

  private:
    char** items_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace alca::init
