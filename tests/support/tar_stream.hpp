// Tar streams made by hand, byte for byte: with entries that no honest program writes.
#ifndef ALCA_TESTS_SUPPORT_TAR_STREAM_HPP
#define ALCA_TESTS_SUPPORT_TAR_STREAM_HPP

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace alca::testing_support {

class TarStream {
  public:
    static constexpr std::size_t kBlock = 512;

    struct Header {
        std::string name;
        char type = '0';
        std::string link = {};
        unsigned mode = 0644;
        std::string size = {};  // octal; "" = that of the content
    };

    // A name of more than 100 bytes gets the GNU header for it.
    TarStream& add(const Header& header, std::string_view content = {}) {
        if (header.name.size() > 100) add_long('L', header.name);
        if (header.link.size() > 100) add_long('K', header.link);
        add_block(header, content);
        return *this;
    }
    TarStream& file(const std::string& name, std::string_view content, unsigned mode = 0644) {
        return add({.name = name, .mode = mode}, content);
    }
    TarStream& directory(const std::string& name, unsigned mode = 0755) {
        return add({.name = name, .type = '5', .mode = mode});
    }
    TarStream& link(const std::string& name, const std::string& target) {
        return add({.name = name, .type = '2', .link = target});
    }
    TarStream& raw(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }

    [[nodiscard]] std::string end() const { return bytes_ + std::string(2 * kBlock, '\0'); }
    [[nodiscard]] const std::string& cut_short() const { return bytes_; }

  private:
    void add_long(char type, const std::string& text) {
        add_block({.name = "././@LongLink", .type = type}, text + '\0');
    }
    void add_block(const Header& header, std::string_view content) {
        std::string block(kBlock, '\0');
        const auto put = [&](std::size_t at, std::size_t room, std::string_view text) {
            block.replace(at, std::min(room, text.size()), text.substr(0, room));
        };
        char number[16];
        put(0, 100, header.name);
        std::snprintf(number, sizeof number, "%07o", header.mode);
        put(100, 8, number);
        put(108, 8, "0000000");
        put(116, 8, "0000000");
        std::snprintf(number, sizeof number, "%011zo", content.size());
        put(124, 12, header.size.empty() ? number : header.size);
        put(136, 12, "07000000000");  // some day in 1998
        put(148, 8, "        ");
        block[156] = header.type;
        put(157, 100, header.link);
        put(257, 8, "ustar  ");
        unsigned sum = 0;
        for (const char c : block) sum += static_cast<unsigned char>(c);
        std::snprintf(number, sizeof number, "%06o", sum);
        block.replace(148, 7, std::string(number, 6) + '\0');
        bytes_ += block;
        bytes_ += content;
        if (content.size() % kBlock != 0) bytes_.append(kBlock - content.size() % kBlock, '\0');
    }

    std::string bytes_;
};

}  // namespace alca::testing_support

#endif
