// The audio call as Python can reach it.
#include <cstring>

#include "bridge.hpp"

using namespace audiobend;

extern "C" {

Bridge* bridge_new(double rate, uint32_t block) {
    auto* const bridge = new Bridge;
    bridge->setProspect(kNoServer);
    bridge->activate(rate, block, usualDelay(static_cast<int64_t>(rate), block));
    return bridge;
}

void bridge_delete(Bridge* bridge) { delete bridge; }

void bridge_activate(Bridge* bridge, double rate, uint32_t block) { bridge->activate(rate, block, bridge->delay()); }

// Returns what is wrong with a segment, or nothing; no name takes away the one that is used.
const char* bridge_offer(Bridge* bridge, const char* name) {
    static std::string why;
    why.clear();
    auto segment = name[0] == '\0' ? nullptr : Segment::open(name, why);
    if (segment != nullptr || name[0] == '\0') bridge->offer(std::move(segment));
    return why.c_str();
}

void bridge_set(Bridge* bridge, uint32_t parameter, float value) { bridge->setParameter(static_cast<Parameter>(parameter), value); }
void bridge_waits(Bridge* bridge, int waits) { bridge->setWaits(static_cast<Waits>(waits)); }
void bridge_prospect(Bridge* bridge, int prospect) { bridge->setProspect(static_cast<Status>(prospect)); }
int bridge_status(const Bridge* bridge) { return bridge->status(); }
int64_t bridge_delay(const Bridge* bridge) { return bridge->delay(); }

// One after the other, in place: the channels of a block lie one behind the other.
void bridge_run(Bridge* bridge, float* left, float* right, uint32_t n) {
    const float* const in[] = {left, right};
    float* const out[] = {left, right};
    bridge->run(in, out, n);
}

}  // extern "C"
