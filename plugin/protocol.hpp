// What the plugin and the server have agreed upon: numbers and nothing else. docs/plugin-protocol.md is the page about
// it; tests/plugin compares every number here with the server's own.
#pragma once

#include <cstdint>

namespace audiobend {

constexpr int kProtocol = 1;                 // of the messages
constexpr char kMagic[8] = {'a', 'u', 'd', 'i', 'o', 'b', 'n', 'd'};
constexpr uint32_t kVersion = 1;             // of the segment
constexpr uint32_t kCapacity = 1u << 19;     // samples per channel in a ring of the segment
constexpr uint32_t kChannels = 2;
constexpr uint32_t kFade = 64;               // samples over which bent and dry sound are cross-faded
constexpr uint32_t kParameters = 22;
constexpr uint32_t kMacros = 16;
constexpr uint32_t kLongestBlock = 32768;
constexpr int kHeartbeat = 5;                // seconds without one after which a server counts as gone

// A segment begins with this, little endian; then come counts, gauges, parameters, and the rings.
struct Header {
    char magic[8];
    uint32_t version;
    uint32_t headerSize;
    uint64_t size;          // of the whole segment, bytes
    int64_t owner;          // process that made it
    uint32_t counts;        // int64 each
    uint32_t gauges;        // float64 each
    uint32_t capacity;      // samples per channel in a ring
    uint32_t channels;
    uint32_t parameters;    // float64 each
    uint32_t rest[3];
};
static_assert(sizeof(Header) == 64, "the header has no gaps");

// Whole numbers in the segment. Each has one writer; those that the plugin neither reads nor writes keep their places.
enum Count : uint32_t {
    kPlayed,        // plugin: samples that the host has got
    kCallbacks,     // plugin: blocks; its heartbeat
    kBlock,         // server: the host's largest block, samples
    kLate,          // plugin: blocks that had to be dry because the engine was not there in time
    kLateSamples,
    kXruns,
    kIsBent,        // plugin: 1 while bent sound is heard
    kCaptured,      // plugin: samples of input in the ring
    kEnds,
    kWritten,       // engine: samples of output in the ring
    kValid,         // engine: first position from which the output is sound
    kSkipped,
    kReady,         // engine: 1 when it runs
    kDelay,         // server: samples between input and output; 0 while unknown
    kKeeps,
    kWaits,         // plugin: 1 while the host renders faster than real time
    kStop,          // server: 1 at the end
    kFromFile,
    kLooks,
    kTurns,
    kChanged,       // plugin: grows with each change of the parameters, after them
    kReset,         // plugin: 1 + the position from which the engine goes on as if it had heard nothing; 0 never
    kWasReset,      // engine: the newest of those that was carried out
    kTaken,         // engine: samples of input that it has worked on
    kBeat,          // server: grows while it lives
    kApplied,       // server: the newest change by which the next block will be bent
    kCounts
};

// Parameters in the segment and, in the same order, of the plugin. -1 (gain: NaN) says: never touched by the host.
enum Parameter : uint32_t { kBypass, kMix, kDetail, kGain, kScene, kMorph, kFirstMacro };
static_assert(kFirstMacro + kMacros == kParameters, "the macros come last");

// What the plugin tells the host's user.
enum Status : int { kNoServer, kStarting, kBent, kIsLate, kRefused };

// The engine in the profile "balanced", at its own rate: frame 768, stride 8 x 256, look-ahead 8 x 256, limiter 220.
constexpr int64_t kModelRate = 44100, kEngine = 768 + 2048 + 2048 + 220, kCushion = 1024, kZeroCrossings = 64;

constexpr int64_t ceilDivide(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t atLeastOne(int64_t a, int64_t b) { return a > b ? ceilDivide(kZeroCrossings * a, b) : kZeroCrossings; }

// Samples that wait in the resamplers there and back.
constexpr int64_t heldSamples(int64_t rate) {
    return rate == kModelRate ? 0
        : atLeastOne(rate, kModelRate) + ceilDivide((atLeastOne(kModelRate, rate) + 1) * rate, kModelRate)
            + (rate > kModelRate ? ceilDivide(rate, kModelRate) : 1);
}

// The delay that is reported until a server has told a better one, so that the host need not change it mostly.
constexpr int64_t usualDelay(int64_t rate, int64_t block) {
    return kEngine * rate / kModelRate + heldSamples(rate) + ceilDivide(kCushion * rate, kModelRate) + kFade + block;
}

}  // namespace audiobend
