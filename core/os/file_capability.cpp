#include "core/os/file_capability.hpp"

#include <endian.h>
#include <linux/capability.h>
#include <sys/xattr.h>

#include <cerrno>

#include "core/os/file.hpp"

namespace alca::os {
namespace {

constexpr const char* kAttribute = "security.capability";

}  // namespace

Result<void> set_file_capabilities(const std::filesystem::path& file, std::uint64_t mask) {
    // capabilities(7): version 2 of the attribute, little-endian.
    vfs_cap_data data{};
    data.magic_etc = htole32(VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE);
    data.data[0].permitted = htole32(static_cast<std::uint32_t>(mask));
    data.data[1].permitted = htole32(static_cast<std::uint32_t>(mask >> 32));
    if (::setxattr(file.c_str(), kAttribute, &data, XATTR_CAPS_SZ_2, 0) == 0) return {};
    const std::string what = file.string() + ": " + errno_text(errno);
    if (errno == EPERM) return fail(Code::denied, what);
    return fail(errno == ENOTSUP ? Code::unsupported : Code::failed, what);
}

Result<std::uint64_t> file_capabilities(const std::filesystem::path& file) {
    vfs_cap_data data{};
    const ssize_t size = ::getxattr(file.c_str(), kAttribute, &data, sizeof data);
    if (size < 0 && (errno == ENODATA || errno == ENOTSUP)) return 0;
    if (size != XATTR_CAPS_SZ_2) return fail(file.string() + ": its capabilities cannot be read");
    return std::uint64_t{le32toh(data.data[1].permitted)} << 32 | le32toh(data.data[0].permitted);
}

}  // namespace alca::os
