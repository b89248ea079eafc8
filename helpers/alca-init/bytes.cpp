#include "bytes.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace alca::init {

Bytes::Bytes(Bytes&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      head_(std::exchange(other.head_, 0)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Bytes& Bytes::operator=(Bytes&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(head_, other.head_);
    std::swap(size_, other.size_);
    std::swap(capacity_, other.capacity_);
    return *this;
}

Bytes::~Bytes() { std::free(data_); }

bool Bytes::reserve(std::size_t capacity) {
    if (head_ + capacity <= capacity_) return true;
    if (head_ > 0 && size_ > 0) std::memmove(data_, data_ + head_, size_);
    head_ = 0;
    if (capacity <= capacity_) return true;
    const std::size_t wanted = std::max(capacity, capacity_ * 2);
    char* grown = static_cast<char*>(std::realloc(data_, wanted));
    if (grown == nullptr) return false;
    data_ = grown;
    capacity_ = wanted;
    return true;
}

bool Bytes::append(std::string_view text) {
    if (text.empty()) return true;
    if (!reserve(size_ + text.size())) return false;
    std::memcpy(data_ + head_ + size_, text.data(), text.size());
    size_ += text.size();
    return true;
}

void Bytes::consume(std::size_t count) {
    size_ -= count;
    head_ = size_ == 0 ? 0 : head_ + count;
}

}  // namespace alca::init
