// fuzz_NAME [--runs N] PATH...: a fuzz target without a fuzzer, as a test.
//
// Runs the target with each file, and with each file of a directory; then N times with a changed
// copy of one of them, always the same changes. The input of the present run is kept in
// fuzz_NAME.input until all have passed: to repeat a failed run, name that file.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/os/fd.hpp"
#include "fuzz/support/target.hpp"

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxInputBytes = std::size_t{64} << 10;

std::string read_file(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw std::runtime_error("cannot read " + file.string());
    return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::string> read_all(const fs::path& path) {
    if (!fs::is_directory(path)) return {read_file(path)};
    std::vector<fs::path> files(fs::directory_iterator(path), {});
    std::sort(files.begin(), files.end());
    std::vector<std::string> inputs;
    inputs.reserve(files.size());
    for (const fs::path& file : files) inputs.push_back(read_file(file));
    return inputs;
}

// Lengths, counts and signs go wrong at these.
std::string edge(std::mt19937& random) {
    constexpr std::array<std::uint32_t, 8> kNumbers{0,      1,       0x7f,       0xff,
                                                    0xffff, 0x10001, 0x7fffffff, 0xffffffff};
    const std::uint32_t number = kNumbers.at(random() % kNumbers.size());
    std::string bytes;
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(number >> shift);
    return bytes.substr(0, random() % 2 == 0 ? 1 : 4);
}

// Most faults lie near valid input: a few bytes are changed, removed, doubled or taken from
// elsewhere.
std::string changed(std::string input, const std::string& other, std::mt19937& random) {
    for (std::size_t n = random() % 6; n > 0; --n) {
        const std::size_t at = random() % (input.size() + 1);
        const std::size_t count = random() % 12 + 1;
        switch (random() % 6) {
            case 0:
                input.replace(at, 1, 1, static_cast<char>(random()));
                break;
            case 1:
                input.erase(at, count);
                break;
            case 2:
                input.insert(at, input.substr(random() % (input.size() + 1), count * 3));
                break;
            case 3:
                input.insert(at, other.substr(random() % (other.size() + 1), count * 6));
                break;
            case 4: {
                const std::string bytes = edge(random);
                input.replace(at, bytes.size(), bytes);
                break;
            }
            default:
                input.resize(at);
        }
    }
    return input.substr(0, kMaxInputBytes);
}

// Keeps the input of the present run in a file.
class Runner {
  public:
    explicit Runner(const std::string& program)
        : name_(fs::path(program).filename().string() + ".input"),
          file_(::open(name_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644)) {}

    void run(const std::string& input) {
        const auto size = static_cast<off_t>(input.size());
        if (::pwrite(file_.get(), input.data(), input.size(), 0) != size ||
            ::ftruncate(file_.get(), size) != 0) {
            throw std::runtime_error("cannot write " + name_);
        }
        alca::fuzz::one_input(input);
    }
    void pass() const { fs::remove(name_); }

  private:
    std::string name_;
    alca::os::Fd file_;
};

int replay(const std::vector<std::string_view>& arguments) {
    std::vector<std::string> inputs;
    unsigned long runs = 0;
    for (std::size_t i = 1; i < arguments.size(); ++i) {
        if (arguments[i] == "--runs" && i + 1 < arguments.size()) {
            runs = std::stoul(std::string(arguments[++i]));
            continue;
        }
        for (std::string& input : read_all(arguments[i])) inputs.push_back(std::move(input));
    }
    if (inputs.empty()) throw std::runtime_error("no inputs; name a corpus");
    Runner runner{std::string(arguments[0])};
    for (const std::string& input : inputs) runner.run(input);
    for (unsigned long seed = 0; seed < runs; ++seed) {
        std::mt19937 random(static_cast<std::uint32_t>(seed));
        const std::string& input = inputs[random() % inputs.size()];
        const std::string& other = inputs[random() % inputs.size()];
        runner.run(changed(input, other, random));
    }
    runner.pass();
    fmt::print("{} inputs and {} changed copies passed\n", inputs.size(), runs);
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    try {
        return replay({argv, argv + argc});
    } catch (const std::exception& error) {
        fmt::print(stderr, "{}: {}\n", argv[0], error.what());
        return 1;
    }
}
