// core/os/nf_tables.hpp - whether anybody has changed the kernel's packet rules.
#ifndef ALCA_CORE_OS_NF_TABLES_HPP
#define ALCA_CORE_OS_NF_TABLES_HPP

#include <cstdint>

#include "alca/result.hpp"

namespace alca::os {

// The number of nf_tables' last transaction in this network namespace: equal numbers, equal rules.
// It begins anew with each boot and each namespace. Errors: denied (it takes CAP_NET_ADMIN); failed
// (no answer, as without nf_tables).
[[nodiscard]] Result<std::uint32_t> ruleset_generation();

}  // namespace alca::os

#endif
