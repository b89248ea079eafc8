#include "core/os/terminal_modes.hpp"

#include <algorithm>
#include <charconv>

namespace alca::os {
namespace {

constexpr char kEscape = '\x1b';
constexpr char kCancel = '\x18';
constexpr char kSubstitute = '\x1a';
constexpr char kBell = '\x07';
constexpr char kShiftOut = '\x0e';
constexpr char kShiftIn = '\x0f';

// A private mode (CSI ? number h or l). Its place in the table is its bit, and its turn in a reset.
struct PrivateMode {
    unsigned number;
    bool usual;  // what a terminal has before and after programs
};
constexpr std::array kPrivateModes{
    PrivateMode{2026, false},  // output is held back
    PrivateMode{2048, false},  // reports of the size
    PrivateMode{2031, false},  // reports of light and dark
    PrivateMode{2004, false},  // bracketed paste
    PrivateMode{1016, false},  // mouse: encodings
    PrivateMode{1015, false},  //
    PrivateMode{1006, false},  //
    PrivateMode{1005, false},  //
    PrivateMode{1004, false},  // reports of the focus
    PrivateMode{1003, false},  // mouse: every move, drags, buttons
    PrivateMode{1002, false},  //
    PrivateMode{1000, false},  //
    PrivateMode{9, false},     //
    PrivateMode{69, false},    // left and right margins
    PrivateMode{7, true},      // lines wrap
    PrivateMode{5, false},     // black and white exchanged
    PrivateMode{1, false},     // cursor keys of applications
    PrivateMode{1049, false},  // the alternate screen, in three ways
    PrivateMode{1047, false},  //
    PrivateMode{47, false},    //
    PrivateMode{25, true},     // the cursor is seen
};

constexpr std::uint64_t bit(unsigned place) { return std::uint64_t{1} << place; }

constexpr std::uint64_t mode_bit(unsigned number) {
    for (unsigned i = 0; i < kPrivateModes.size(); ++i) {
        if (kPrivateModes.at(i).number == number) return bit(i);
    }
    return 0;
}

constexpr std::uint64_t kAlternateScreen = mode_bit(1049) | mode_bit(1047) | mode_bit(47);
constexpr unsigned kKeypadMode = 66;  // by ESC = and ESC >, which all terminals know
constexpr std::uint64_t kKeypad = bit(23);
constexpr std::uint64_t kInsert = bit(24);
constexpr std::uint64_t kMargins = bit(25);
constexpr std::uint64_t kColours = bit(26);
constexpr std::uint64_t kLineDrawing = bit(27);
constexpr std::uint64_t kOtherCharset = bit(28);  // by shift out
constexpr std::uint64_t kCursorShape = bit(29);
constexpr std::uint64_t kOtherKeys = bit(30);  // xterm's modifyOtherKeys
constexpr std::uint64_t kUnfinished = bit(31);
static_assert(kPrivateModes.size() <= 23);

// What the keyboard protocol of kitty was asked for, once for each of the two screens: how often
// flags were pushed, and whether they were set in place.
constexpr unsigned kMainKeyboard = 32;
constexpr unsigned kAlternateKeyboard = 48;
constexpr std::uint64_t kMaxPushed = 255;
constexpr std::uint64_t kKeyboardSet = bit(8);

constexpr std::uint64_t kUndoneBySoftReset = mode_bit(25) | mode_bit(1) | mode_bit(69) | kKeypad |
                                             kInsert | kMargins | kColours | kLineDrawing |
                                             kOtherCharset;

// A missing or absurd number is 0.
unsigned first_number(std::string_view text) {
    unsigned number = 0;
    const auto done = std::from_chars(text.data(), text.data() + text.size(), number);
    return done.ec == std::errc{} ? number : 0;
}

bool is_any_set(std::string_view numbers) {
    return numbers.find_first_of("123456789") != std::string_view::npos;
}

std::string_view take_field(std::string_view& numbers) {
    const std::size_t end = std::min(numbers.find(';'), numbers.size());
    const std::string_view field = numbers.substr(0, end);
    numbers.remove_prefix(std::min(end + 1, numbers.size()));
    return field;
}

void add_number(ResetSequence& out, std::uint64_t number) {
    std::array<char, 20> digits{};
    const auto done = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.add({digits.data(), static_cast<std::size_t>(done.ptr - digits.data())});
}

void add_keyboard(ResetSequence& out, std::uint64_t keyboard) {
    if (const std::uint64_t pushed = keyboard & kMaxPushed; pushed != 0) {
        out.add("\x1b[<");
        add_number(out, pushed);
        out.add("u");
    }
    if ((keyboard & kKeyboardSet) != 0) out.add("\x1b[=0u");
}

// The cursor goes home with the margins; on the alternate screen that does not matter.
void add_margins(ResetSequence& out, bool on_main_screen) {
    if (on_main_screen) out.add("\x1b\x37");
    out.add("\x1b[r");
    if (on_main_screen) out.add("\x1b\x38");
}

void add_private_modes(ResetSequence& out, std::uint64_t on) {
    for (const PrivateMode& mode : kPrivateModes) {
        if ((on & mode_bit(mode.number)) == 0) continue;
        out.add("\x1b[?");
        add_number(out, mode.number);
        out.add(mode.usual ? "h" : "l");
    }
}

}  // namespace

void TerminalModes::scan(std::string_view bytes) noexcept {
    for (const char byte : bytes) {
        // Most of all bytes.
        if (state_ == State::text && static_cast<unsigned char>(byte) >= ' ') continue;
        step(byte);
    }
    turn(kUnfinished, state_ != State::text);
    on_.store(now_);
}

void TerminalModes::step(char byte) noexcept {
    if (byte == kEscape) {  // from everywhere: what was begun is dropped
        state_ = State::escape;
        return;
    }
    if (state_ == State::text) {
        if (byte == kShiftOut || byte == kShiftIn) turn(kOtherCharset, byte == kShiftOut);
        return;
    }
    if (byte == kCancel || byte == kSubstitute) {
        state_ = State::text;
        return;
    }
    if (state_ == State::string) {
        if (byte == kBell) state_ = State::text;
        return;
    }
    if (static_cast<unsigned char>(byte) < ' ') return;  // acts at once, and the sequence goes on
    if (state_ == State::escape) return take_escaped(byte);
    if (state_ == State::control) {
        if (byte >= '@' && byte <= '~') return take_control(byte);
        if (control_size_ < control_.size()) control_.at(control_size_) = byte;
        ++control_size_;
        return;
    }
    if (state_ == State::charset) turn(kLineDrawing, byte != 'B');
    state_ = State::text;
}

void TerminalModes::take_escaped(char byte) noexcept {
    state_ = State::text;
    switch (byte) {
        case '[':
            state_ = State::control;
            control_size_ = 0;
            break;
        case ']':
        case 'P':
        case 'X':
        case '^':
        case '_':
            state_ = State::string;
            break;
        case '(':
            state_ = State::charset;
            break;
        case '=':
        case '>':
            turn(kKeypad, byte == '=');
            break;
        case 'c':
            now_ = 0;
            break;
        default:
            if (byte >= ' ' && byte <= '/') state_ = State::skip_one;
    }
}

void TerminalModes::take_control(char final) noexcept {
    state_ = State::text;
    if (control_size_ > control_.size()) {
        // Long lists are colours; nothing else of ours is so long.
        if (final == 'm') turn(kColours, true);
        return;
    }
    const std::string_view all(control_.data(), control_size_);
    const char first = all.empty() ? '\0' : all.front();
    const bool has_prefix = first >= '<' && first <= '?';
    if (all == "!" && final == 'p') return turn(kUndoneBySoftReset, false);
    if (!all.empty() && all.back() == ' ') {
        if (final == 'q') turn(kCursorShape, is_any_set(all));
        return;
    }
    if (!has_prefix) return take_plain_control(final, all);
    std::string_view numbers = all.substr(1);
    if (first == '?' && (final == 'h' || final == 'l')) set_private_modes(numbers, final == 'h');
    if (first != '?' && final == 'u') set_keyboard(first, numbers);
    if (first == '>' && final == 'm' && (numbers.empty() || first_number(take_field(numbers)) == 4))
        turn(kOtherKeys, is_any_set(numbers));
}

void TerminalModes::take_plain_control(char final, std::string_view numbers) noexcept {
    if (final == 'm') turn(kColours, is_any_set(numbers));
    if (final == 'r') turn(kMargins, is_any_set(numbers));
    if (final != 'h' && final != 'l') return;
    while (!numbers.empty()) {
        if (first_number(take_field(numbers)) == 4) turn(kInsert, final == 'h');
    }
}

void TerminalModes::set_private_modes(std::string_view numbers, bool to) noexcept {
    while (!numbers.empty()) {
        const unsigned number = first_number(take_field(numbers));
        if (number == kKeypadMode) turn(kKeypad, to);
        for (const PrivateMode& mode : kPrivateModes) {
            if (mode.number == number) turn(mode_bit(number), to != mode.usual);
        }
    }
}

void TerminalModes::set_keyboard(char action, std::string_view numbers) noexcept {
    const unsigned shift = (now_ & kAlternateScreen) != 0 ? kAlternateKeyboard : kMainKeyboard;
    const std::uint64_t before = (now_ >> shift) & (kMaxPushed | kKeyboardSet);
    std::uint64_t pushed = before & kMaxPushed;
    std::uint64_t set = before & kKeyboardSet;
    const unsigned number = first_number(take_field(numbers));
    if (action == '>') pushed = std::min(pushed + 1, kMaxPushed);
    if (action == '<') {
        const std::uint64_t popped = std::max(number, 1U);
        // A stack that has become empty leaves no flag.
        if (popped >= pushed) set = 0;
        pushed -= std::min(pushed, popped);
    }
    if (action == '=') set = number != 0 ? kKeyboardSet : 0;
    turn((kMaxPushed | kKeyboardSet) << shift, false);
    turn((pushed | set) << shift, true);
}

ResetSequence TerminalModes::reset() const noexcept {
    const std::uint64_t on = on_.load();
    const bool on_main_screen = (on & kAlternateScreen) == 0;
    ResetSequence out;
    if ((on & kUnfinished) != 0) out.add({&kCancel, 1});
    // Each screen has its own keyboard flags: these before the other screen comes back.
    if (!on_main_screen) add_keyboard(out, on >> kAlternateKeyboard);
    if ((on & kMargins) != 0) add_margins(out, on_main_screen);
    add_private_modes(out, on);
    add_keyboard(out, on >> kMainKeyboard);
    if ((on & kKeypad) != 0) out.add("\x1b>");
    if ((on & kOtherKeys) != 0) out.add("\x1b[>4m");
    if ((on & kInsert) != 0) out.add("\x1b[4l");
    if ((on & kLineDrawing) != 0) out.add("\x1b(B");
    if ((on & kOtherCharset) != 0) out.add({&kShiftIn, 1});
    if ((on & kCursorShape) != 0) out.add("\x1b[0 q");
    // Leaving the alternate screen brings the colours back that were there before it.
    if ((on & (kColours | kAlternateScreen)) != 0) out.add("\x1b[m");
    return out;
}

}  // namespace alca::os
