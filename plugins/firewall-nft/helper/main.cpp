// alca-network-helper: one request of alca.firewall/1 from a user without rights.
// What it is and must not be: README.md.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>

#include "alca/call.hpp"
#include "alca/json.hpp"
#include "plugins/firewall-nft/helper_protocol.hpp"
#include "plugins/firewall-nft/nft_firewall.hpp"

namespace {

using alca::Code;
using alca::fail;
using alca::Json;
using alca::Result;
using alca::nft::kHelperVersion;

// Nobody can cancel but by ending the process: each change is one transaction.
class QuietCall final : public alca::Call {
  public:
    [[nodiscard]] int cancel_fd() const override { return -1; }
    void log(alca::LogLevel /*level*/, std::string_view /*line*/) const override {}
    void progress(const alca::Progress& /*progress*/) const override {}
};

Result<std::string> read_input() {
    std::string text;
    std::array<char, 16UL * 1024> chunk{};
    while (text.size() <= alca::nft::kMaxHelperRequestBytes) {
        const ssize_t got = ::read(STDIN_FILENO, chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return fail("cannot read the request");
        if (got == 0) return text;
        text.append(chunk.data(), static_cast<std::size_t>(got));
    }
    return fail(Code::invalid, "the request is too large");
}

struct Question {
    std::string method;
    std::optional<alca::FirewallRequest> request;
};

Result<Question> parse(const std::string& text) {
    const auto json = alca::parse_object(text);
    if (!json) return fail(Code::invalid, json.error().message);
    Question question;
    int version = 0;
    Json request;
    alca::JsonReader in(*json, "request");
    in.require("version", version);
    in.require("method", question.method);
    in.read("request", request);
    if (auto read = in.done(true); !read) return fail(Code::invalid, read.error().message);
    if (version != kHelperVersion) return fail(Code::unavailable, "another version is installed");
    if (question.method == "probe") return question;
    auto parsed = alca::FirewallRequest::from_json(request.is_null() ? Json::object() : request);
    if (!parsed) return fail(Code::invalid, parsed.error().message);
    // Processes and other namespaces are not its business.
    if (parsed->layer != alca::FirewallLayer::host || parsed->pid != 0) {
        return fail(Code::invalid, "only the layer of the host");
    }
    question.request = std::move(*parsed);
    return question;
}

template <class T>
Result<Json> as_json(Result<T> result) {
    if (!result) return fail(result.error());
    return Json(*result);
}

Result<Json> as_json(Result<void> result) {
    if (!result) return fail(result.error());
    return Json::object();
}

Result<Json> perform(const Question& question) {
    const QuietCall call;
    // The real user: what this program's file adds to his rights does not change who he is.
    alca::nft::NftFirewall firewall(::getuid());
    if (question.method == "probe") {
        auto probe = firewall.probe(call);
        if (probe && !probe->available) return fail(Code::denied, probe->reason);
        return as_json(std::move(probe));
    }
    if (!question.request) return fail(Code::invalid, "no request");
    if (question.method == "apply") return as_json(firewall.apply(call, *question.request));
    if (question.method == "verify") return as_json(firewall.verify(call, *question.request));
    if (question.method == "remove") return as_json(firewall.remove(call, *question.request));
    if (question.method == "report") return as_json(firewall.report(call, *question.request));
    return fail(Code::invalid, "unknown method");
}

Result<Json> answer() {
    const auto text = read_input();
    if (!text) return fail(text.error());
    const auto question = parse(*text);
    if (!question) return fail(question.error());
    return perform(*question);
}

std::string_view name_of(Code code) {
    switch (code) {
        case Code::denied:
            return "denied";
        case Code::invalid:
            return "invalid";
        case Code::unavailable:
            return "unavailable";
        default:
            return "failed";
    }
}

bool write_all(std::string_view text) {
    while (!text.empty()) {
        const ssize_t sent = ::write(STDOUT_FILENO, text.data(), text.size());
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return false;
        text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
}

// The exit code.
int respond() {
    const auto result = answer();
    Json json{{"version", kHelperVersion}};
    if (result) {
        json["answer"] = *result;
    } else {
        json["code"] = name_of(result.error().code);
        json["message"] = result.error().message;
    }
    return write_all(alca::dump(json)) && result ? 0 : 1;
}

}  // namespace

int main(int argc, char** /*argv*/) {
    // A dump of a process with more rights than its caller is nobody's to read.
    ::prctl(PR_SET_DUMPABLE, 0);
    const rlimit no_core{0, 0};
    ::setrlimit(RLIMIT_CORE, &no_core);
    ::clearenv();
    if (argc != 1) {
        std::fputs("alca-network-helper takes no arguments; alca starts it by itself\n", stderr);
        return 2;
    }
    try {
        return respond();
    } catch (const std::exception& error) {
        std::fputs(error.what(), stderr);
        return 1;
    }
}
