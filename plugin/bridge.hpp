// The audio call: sound goes into one ring and comes out of another, by position, a fixed delay later.
//
// In real time nothing here allocates, locks, waits or enters the system. Where the engine is not there in time the
// input is heard, as late as the bent sound would have been. Only a host that renders faster than real time is made to
// wait, and never for ever.
#pragma once

#include <array>
#include <atomic>
#include <vector>

#include "segment.hpp"

namespace audiobend {

// A parameter that the host has never touched. No NaN: DPF compiles with -ffast-math, which takes it for a number.
constexpr float kUntouched = -1e9f;

enum class Waits : int { kAuto, kNever, kAlways };

// Two channels of the past. Before the beginning there is silence.
class History {
  public:
    static constexpr uint32_t kLength = 1u << 18;    // 5.9 s at 44.1 kHz, 1.4 s at 192 kHz

    void clear();
    void put(int64_t position, const float* left, const float* right, uint32_t n);
    void get(int64_t position, float* left, float* right, uint32_t n) const;
    const float* left() const { return left_.data(); }
    const float* right() const { return right_.data(); }

  private:
    static uint32_t place(int64_t position) { return static_cast<uint32_t>(position) & (kLength - 1); }

    std::vector<float> left_, right_;
};

// Whether the host renders faster than real time, as far as one can see from when it calls: DPF does not pass on what
// hosts know. What counts is the sound handed over against the time that passed between the calls.
class Pace {
  public:
    void begin(double rate);
    bool enter(uint32_t n);
    void leave(uint32_t n);
    // Samples after which a host is known to be one or the other.
    double enough() const { return 1.25 * limit(); }

  private:
    double limit() const;

    double rate_ = 44100, left_ = 0, ahead_ = 0, largest_ = 0;
    bool begun_ = false;
};

class Bridge {
  public:
    Bridge();

    // --- for the host, while it does not process
    void activate(double rate, uint32_t block, int64_t delay);

    // --- for the host, at any time
    void setParameter(Parameter parameter, float value) { wanted_[parameter].store(value, std::memory_order_relaxed); }
    void setWaits(Waits waits) { waits_.store(waits, std::memory_order_relaxed); }
    Status status() const { return status_.load(std::memory_order_relaxed); }
    int64_t delay() const { return delay_.load(std::memory_order_relaxed); }

    // --- for the audio thread; input and output may be the same memory
    void run(const float* const* in, float* const* out, uint32_t n);

    // --- for the link
    // Replaces the segment, and returns when the audio thread has let go of the one before.
    void offer(std::unique_ptr<Segment> segment);
    // Whether the segment has got any sound since the host began.
    bool hasBegun() const { return begun_.load(std::memory_order_relaxed); }
    // Takes away the segment at once; it stays the link's until it offers another one.
    void withdraw() { offered_.store(nullptr); }
    // What there is to hope for without a segment: kNoServer, kStarting or kRefused.
    void setProspect(Status prospect) { prospect_.store(prospect, std::memory_order_relaxed); }
    // The server's heartbeat; 0 without a segment.
    int64_t beat() const { return owned_ == nullptr ? 0 : (*owned_)[kBeat]; }

  private:
    struct Stretch {
        std::array<float, kFade> left{}, right{};
    };

    void runSlice(const float* const* in, float* const* out, uint32_t n, bool mayWait);
    void pass(Segment& segment, const float* const* in, float* const* out, uint32_t n, bool mayWait);
    bool isDecided(bool mayWait) const;
    Segment* hold();
    Segment* holdReady();
    void meet(const Segment& segment);
    void begin(Segment& segment, uint32_t n, bool mayWait);
    void passParameters(Segment& segment, bool mayWait);
    void fill(Segment& segment, float* const* out, uint32_t n);
    void emit(const Segment* source, float* const* out, uint32_t done, uint32_t n);
    void fetch(const Segment* source, int64_t position, float* left, float* right, uint32_t n) const;
    void turn(int64_t position);
    template <class Done> bool wait(const Segment& segment, double seconds, Done done);

    // shared with other threads
    std::atomic<Segment*> offered_{nullptr}, held_{nullptr};
    std::atomic<Status> prospect_{kStarting}, status_{kStarting};
    std::atomic<Waits> waits_{Waits::kAuto};
    std::atomic<int64_t> delay_;
    std::array<std::atomic<float>, kParameters> wanted_;    // or `kUntouched`
    std::unique_ptr<Segment> owned_;                        // the link's

    // the audio thread's own
    History history_;
    Pace pace_;
    uint32_t slice_ = kLongestBlock;    // longer blocks than announced are worked on in parts
    int64_t position_ = 0;       // of the next sample, since the host began
    uint64_t met_ = 0;           // number of the segment that what follows is about
    std::atomic<bool> begun_{false};    // whether it has got any sound since the host began; others look at it
    int64_t offset_ = 0;         // its positions less ours, from then on
    int64_t first_ = 0;          // its position of the first sample that it got
    bool hasBent_ = false;       // whether it was there in time
    bool hasGivenUp_ = false;    // a bounce waits in vain once, not at every block
    int64_t changed_ = 0;
    std::array<float, kParameters> passed_{};
    bool isBent_ = false;        // what is heard
    bool jumped_ = false;        // whether the delay has changed since the last block
    Stretch next_;               // what would be heard next, kept so that it can be faded out without its segment
    Stretch from_;               // what is being faded out
    uint32_t faded_ = kFade;     // samples of that which are over
    std::array<float, kFade> rise_;
};

}  // namespace audiobend
