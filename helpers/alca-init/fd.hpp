#pragma once

#include "helpers/shared/tree/fd.hpp"

namespace alca::init {

using tree::Fd;

}  // namespace alca::init
