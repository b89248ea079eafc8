#include "core/project/state.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "support.hpp"

namespace alca::project {
namespace {

using testing::HasSubstr;

class StateTest : public ProjectTest {
  protected:
    [[nodiscard]] State full_state() const {
        State state = make_state(directory());
        state.phase = Phase::ready;
        state.runtime = "runtime-docker";
        state.engine = {"Docker Engine", true, true, true};
        state.container_id = "abc";
        state.process = {.pid = 12, .started = 345, .interfaces = {"eth0", "lo"}};
        state.image_user = "node";
        state.network.gateways = {"172.30.0.17"};
        state.firewall = {"firewall-nft", "internet", {"10.0.0.53"}};
        state.firewall.strict = true;
        state.firewall.settled = false;
        state.firewall.proxy = TcpProxy{.to = TcpProxy::kHost, .port = 1080};
        state.firewall.limits = {.bytes_per_second = 1000, .new_connections_per_second = 5};
        state.allow_unprotected = true;
        state.unprotected_reason = "no right";
        state.created_at = rfc3339_now();
        state.applied_config = Json{{"image", "i"}};
        state.approved_powers = {"env A", "lan-access *"};
        return state;
    }
    void save_text(std::string_view text) const {
        ASSERT_TRUE(store().prepare());
        write(store().state_file(project()), text);
    }
    // Saves the full state, changed as JSON.
    void save_changed(const std::function<void(Json&)>& change) const {
        Json json = to_json(full_state());
        change(json);
        save_text(dump(json));
    }
    [[nodiscard]] std::string load_error() const {
        const auto state = store().load(project());
        return state ? "loaded" : state.error().message;
    }
};

TEST_F(StateTest, EveryFieldSurvivesSavingAndLoading) {
    const State saved = full_state();
    ASSERT_TRUE(store().save(saved));
    const auto loaded = store().load(project());
    ASSERT_TRUE(loaded) << loaded.error().message;
    ASSERT_TRUE(loaded->has_value());
    EXPECT_EQ(to_json(**loaded), to_json(saved));
}

TEST_F(StateTest, NoFileIsNoStateAndMakesNothing) {
    const auto loaded = store().load(project());
    ASSERT_TRUE(loaded);
    EXPECT_FALSE(loaded->has_value());
    EXPECT_FALSE(fs::exists(base() / "state"));
}

TEST_F(StateTest, FileIsForTheUserAlone) {
    const mode_t old = ::umask(0);
    ASSERT_TRUE(store().save(full_state()));
    ::umask(old);
    EXPECT_EQ(mode(store().state_file(project())), 0600U);
    EXPECT_EQ(mode(state_dir()), 0700U);
    EXPECT_EQ(mode(state_dir() / "projects"), 0700U);
}

TEST_F(StateTest, SavingWhatTheFileSaysAlreadyWritesNothing) {
    State state = full_state();
    const fs::path file = store().state_file(project());
    const auto inode = [&file] {
        struct stat info{};
        return ::stat(file.c_str(), &info) == 0 ? info.st_ino : 0;
    };
    ASSERT_TRUE(store().save(state));
    const auto first = inode();
    ASSERT_TRUE(store().save(state));
    EXPECT_EQ(inode(), first);
    state.container_id = "other";
    ASSERT_TRUE(store().save(state));
    EXPECT_NE(inode(), first);
}

TEST_F(StateTest, FileNameTellsNothingOfThePath) {
    const std::string name = store().state_file("/a/b c\n\"").filename().string();
    EXPECT_THAT(name, testing::MatchesRegex("[0-9a-f-]+\\.json"));
    EXPECT_NE(store().state_file("/a"), store().state_file("/b"));
}

TEST_F(StateTest, NewStatesHaveDifferentIdsAndNamesThatFollow) {
    const State a = make_state(directory());
    const State b = make_state(directory());
    EXPECT_NE(a.project_id, b.project_id);
    EXPECT_THAT(a.project_id,
                testing::MatchesRegex(
                    "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_EQ(a.network.name, a.container_name);
    EXPECT_EQ(a.phase, Phase::absent);
}

TEST(NamesTest, FollowFromTheId) {
    const std::string_view id = "550e8400-e29b-41d4-a716-446655440000";
    EXPECT_EQ(sandbox_name(id), "alca-550e8400-e29");
    EXPECT_EQ(interface_name(id), "alca550e8400e29");
    EXPECT_EQ(interface_name(id).size(), 15U);
}

TEST_F(StateTest, CorruptFileIsAnErrorThatNamesItAndSaysWhatToDo) {
    for (const char* text : {"", "{", "[]", "null", "{}", "{\"schema_version\": 1}", "\xff"}) {
        save_text(text);
        EXPECT_THAT(load_error(), HasSubstr(store().state_file(project()).string())) << text;
        EXPECT_THAT(load_error(), HasSubstr("then this file")) << text;
    }
}

TEST_F(StateTest, NewerSchemaSaysToUpgrade) {
    save_changed([](Json& json) { json["schema_version"] = 2; });
    EXPECT_THAT(load_error(), HasSubstr("written by a newer alca; upgrade alca"));
}

TEST_F(StateTest, MembersOfNewerVersionsOfTheSameSchemaAreIgnored) {
    save_changed([](Json& json) { json["something_new"] = 1; });
    EXPECT_EQ(load_error(), "loaded");
}

TEST_F(StateTest, WrongMembersAreErrors) {
    for (const auto& [key, value] : std::initializer_list<std::pair<const char*, Json>>{
             {"project_id", "../../etc"},
             {"project_id", "550E8400-E29B-41D4-A716-446655440000"},
             {"project_id", 5},
             {"project_path", "relative"},
             {"phase", "finished"},
             {"phase", 1},
             {"inode", -1},
             {"device", "x"},
             {"network", "x"},
             {"network", Json{{"gateways", "x"}}},
             {"firewall", Json::array()},
             {"applied_config", "x"},
             {"approved_powers", "lan-access *"},
             {"approved_powers", Json::array({1})},
             {"allow_unprotected", "yes"},
             {"schema_version", 0},
             {"schema_version", "1"}}) {
        save_changed([&](Json& json) { json[key] = value; });
        EXPECT_NE(load_error(), "loaded") << key << " = " << value;
    }
}

TEST_F(StateTest, FileOfAnotherProjectUnderThisNameIsAnError) {
    save_changed([](Json& json) { json["project_path"] = "/elsewhere"; });
    EXPECT_THAT(load_error(), HasSubstr("belongs to another project path"));
}

TEST_F(StateTest, SymlinkInPlaceOfTheFileIsNotFollowed) {
    ASSERT_TRUE(store().save(full_state()));
    const fs::path file = store().state_file(project());
    fs::rename(file, base() / "forged.json");
    fs::create_symlink(base() / "forged.json", file);
    EXPECT_NE(load_error(), "loaded");
}

TEST_F(StateTest, DirectoryThatOthersCanWriteIsRefused) {
    ASSERT_TRUE(store().save(full_state()));
    fs::permissions(state_dir() / "projects", fs::perms::group_write, fs::perm_options::add);
    EXPECT_THAT(load_error(), HasSubstr("can be written by others; run: chmod 700"));
    EXPECT_FALSE(store().save(full_state()));
}

TEST_F(StateTest, DirectoryOfAnotherUserIsRefused) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to give a directory away";
    ASSERT_TRUE(store().save(full_state()));
    ASSERT_EQ(::chown(state_dir().c_str(), 12345, 12345), 0);
    EXPECT_THAT(load_error(), HasSubstr("belongs to another user"));
}

TEST_F(StateTest, SavingRemovesWhatKilledSavesOfThisStateHaveLeftAndNothingElse) {
    State state = full_state();
    ASSERT_TRUE(store().save(state));
    const std::string file = store().state_file(project()).string();
    const auto put = [](const std::string& name, std::chrono::seconds age) {
        write(name, "x");
        fs::last_write_time(name, fs::file_time_type::clock::now() - age);
    };
    using std::chrono::seconds;
    const std::vector<std::string> kept{
        file + ".a1B2c",  file + ".a1B2c3d", file + ".a1-2c3",
        file + "_a1B2c3", file + ".NEWone",  file.substr(0, file.size() - 1) + "m.a1B2c3"};
    for (const std::string& name : kept) {
        put(name, name.ends_with(".NEWone") ? seconds(5) : seconds(90));
    }
    put(file + ".a1B2c3", seconds(90));
    fs::create_directory(file + ".d1rect");
    fs::last_write_time(file + ".d1rect", fs::file_time_type::clock::now() - seconds(90));

    state.container_id = "other";
    ASSERT_TRUE(store().save(state));
    EXPECT_FALSE(fs::exists(file + ".a1B2c3"));
    EXPECT_TRUE(fs::exists(file + ".d1rect"));
    for (const std::string& name : kept) EXPECT_TRUE(fs::exists(name)) << name;
}

TEST_F(StateTest, ListHasGoodStatesAndNamesBadOnes) {
    ASSERT_TRUE(store().save(full_state()));
    write(state_dir() / "projects" / "bad.json", "{");
    write(state_dir() / "projects" / "x.json.a1B2c3", "left by a killed write");
    write(state_dir() / "projects" / "x.lock", "");
    const auto listing = store().list();
    ASSERT_TRUE(listing);
    ASSERT_EQ(listing->states.size(), 1U);
    EXPECT_EQ(listing->states[0].directory.path, project());
    ASSERT_EQ(listing->problems.size(), 1U);
    EXPECT_THAT(listing->problems[0].message, HasSubstr("bad.json"));
}

TEST_F(StateTest, ListOfNothingIsEmpty) {
    const auto listing = store().list();
    ASSERT_TRUE(listing);
    EXPECT_TRUE(listing->states.empty());
}

TEST(StateDirectoryTest, FollowsTheXdgSpecification) {
    EXPECT_EQ(state_directory("/xdg", "/home/me"), fs::path("/xdg/alca"));
    EXPECT_EQ(state_directory("", "/home/me"), fs::path("/home/me/.local/state/alca"));
    EXPECT_EQ(state_directory("relative", "/home/me"), fs::path("/home/me/.local/state/alca"));
    EXPECT_EQ(state_directory("/xdg", ""), fs::path("/xdg/alca"));
}

TEST(StateDirectoryTest, WithoutAnyPlaceIsAnError) {
    for (const auto& [xdg, home] : std::initializer_list<std::pair<const char*, const char*>>{
             {"", ""}, {"relative", ""}, {"", "relative"}}) {
        const auto directory = state_directory(xdg, home);
        ASSERT_FALSE(directory);
        EXPECT_THAT(directory.error().message, HasSubstr("set HOME or XDG_STATE_HOME"));
    }
}

// Runs in a child with a mount namespace of its own. Exit code 0: a full disk gave an error and
// left the old state; 77: no right to mount; anything else: what went wrong.
int save_on_a_full_disk(const fs::path& mount_point, const State& first) {
    if (::unshare(CLONE_NEWNS) != 0) return 77;
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
    if (::mount("tmpfs", mount_point.c_str(), "tmpfs", 0, "size=64k,mode=700") != 0) return 77;
    const Store store(mount_point / "alca");
    if (!store.save(first)) return 1;
    State second = first;
    second.approved_powers.assign(1, std::string(200000, 'x'));
    const auto saved = store.save(second);
    if (saved) return 2;
    if (saved.error().message.find("No space left") == std::string::npos) return 3;
    const auto loaded = store.load(first.directory.path);
    if (!loaded || !loaded->has_value() || (*loaded)->approved_powers != first.approved_powers) {
        return 4;
    }
    for (const auto& entry : fs::directory_iterator(mount_point / "alca/projects")) {
        if (entry.path() != store.state_file(first.directory.path)) return 5;
    }
    return 0;
}

TEST_F(StateTest, FullDiskIsAnErrorAndLeavesTheOldState) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root to mount a small file system";
    fs::create_directory(base() / "small");
    const State state = full_state();
    const pid_t child = ::fork();
    if (child == 0) ::_exit(save_on_a_full_disk(base() / "small", state));
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "mounting is not allowed here";
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace alca::project
