#include "alca/plugin.hpp"

#include "plugins/firewall-nft/nft_firewall.hpp"

ALCA_PLUGIN(alca::nft::NftFirewall)
