#pragma once

#include <cstddef>
#include <string_view>

namespace alca::init {

// A growable run of bytes. Stands in for std::string, which would link the C++ library's run time.
// Running out of memory is an answer (false), never an abort: PID 1 must live on.
class Bytes {
  public:
    Bytes() = default;
    Bytes(Bytes&& other) noexcept;
    Bytes& operator=(Bytes&& other) noexcept;
    Bytes(const Bytes&) = delete;
    Bytes& operator=(const Bytes&) = delete;
    ~Bytes();

    [[nodiscard]] bool reserve(std::size_t capacity);
    [[nodiscard]] bool append(std::string_view text);
    // Drops `count` bytes from the front.
    void consume(std::size_t count);

    // Borrowed until the next change.
    [[nodiscard]] std::string_view view() const { return {data_ + head_, size_}; }
    [[nodiscard]] char* data() { return data_ + head_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool is_empty() const { return size_ == 0; }

  private:
    char* data_ = nullptr;
    std::size_t head_ = 0;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
};

}  // namespace alca::init
