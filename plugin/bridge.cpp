#include "bridge.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

namespace audiobend {

namespace {

constexpr int64_t kLongest = History::kLength / 2;        // delay that can be made up for
constexpr double kForAnEngine = 30, kForABlock = 10;      // seconds that a bounce waits
constexpr std::chrono::microseconds kLook(200);

double now() {    // on Linux and macOS without a system call
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void History::clear() {
    left_.assign(kLength, 0.0f);
    right_.assign(kLength, 0.0f);
}

void History::put(int64_t position, const float* left, const float* right, uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) {
        left_[place(position + i)] = left[i];
        right_[place(position + i)] = right[i];
    }
}

void History::get(int64_t position, float* left, float* right, uint32_t n) const {
    for (uint32_t i = 0; i < n; ++i) {
        left[i] = left_[place(position + i)];
        right[i] = right_[place(position + i)];
    }
}

void Pace::begin(double rate) {
    rate_ = rate;
    ahead_ = largest_ = 0;
    begun_ = false;
}

double Pace::limit() const { return std::max(1.5 * largest_, 0.05 * rate_); }    // cards call for two blocks at once at times

bool Pace::enter(uint32_t n) {
    largest_ = std::max<double>(largest_, n);
    if (begun_) ahead_ = std::clamp(ahead_ - rate_ * (now() - left_), 0.0, 4 * limit());
    begun_ = true;
    return ahead_ > limit();
}

void Pace::leave(uint32_t n) {
    ahead_ += n * (15.0 / 16);    // so that a host that comes back to real time is believed after a while
    left_ = now();                // the time that we waited ourselves does not count
}

Bridge::Bridge() : delay_(usualDelay(kModelRate, 512)) {
    for (auto& value : wanted_) value.store(kUntouched);
    for (uint32_t i = 0; i < kFade; ++i) rise_[i] = static_cast<float>(0.5 - 0.5 * std::cos(M_PI * (i + 0.5) / kFade));
    history_.clear();
}

void Bridge::activate(double rate, uint32_t block, int64_t delay) {
    history_.clear();
    pace_.begin(rate);
    delay_.store(std::clamp<int64_t>(delay, kFade, kLongest));
    slice_ = std::clamp(block, 1u, kLongestBlock);
    position_ = 0;
    begun_ = false;
    hasBent_ = hasGivenUp_ = isBent_ = jumped_ = false;
    next_ = Stretch();
    faded_ = kFade;
}

void Bridge::run(const float* const* in, float* const* out, uint32_t n) {
    const Waits waits = waits_.load(std::memory_order_relaxed);
    const bool isAhead = pace_.enter(n);
    for (uint32_t done = 0; done < n;) {
        const uint32_t m = std::min(n - done, slice_);
        const float* const input[] = {in[0] + done, in[1] + done};
        float* const output[] = {out[0] + done, out[1] + done};
        runSlice(input, output, m, waits == Waits::kAlways || (waits == Waits::kAuto && isAhead));
        done += m;
    }
    pace_.leave(n);
}

void Bridge::runSlice(const float* const* in, float* const* out, uint32_t n, bool mayWait) {
    history_.put(position_, in[0], in[1], n);
    Segment* const segment = mayWait && !hasGivenUp_ ? holdReady() : hold();
    if (segment != nullptr) {
        pass(*segment, in, out, n, mayWait);
    } else {
        emit(nullptr, out, 0, n);
        status_.store(prospect_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    }
    held_.store(nullptr);
    position_ += n;
}

void Bridge::pass(Segment& s, const float* const* in, float* const* out, uint32_t n, bool mayWait) {
    meet(s);
    s.set(kWaits, mayWait);
    passParameters(s, mayWait && !hasGivenUp_);
    if (!begun_ && s[kReady] != 0 && isDecided(mayWait)) begin(s, n, mayWait);
    const int64_t end = position_ + offset_ + n;
    if (begun_) {
        s.put(end - n, in[0], in[1], n);    // before anything is written to the output: it may be the same memory
        s.set(kCaptured, end);
        if (mayWait && !hasGivenUp_) {
            hasGivenUp_ = !wait(s, kForABlock, [&] { return s[kWritten] >= end + kFade || s[kValid] >= end; });
        }
    }
    fill(s, out, n);
    if (begun_) s.set(kPlayed, end);
    s.set(kCallbacks, s[kCallbacks] + 1);
}

// Whoever unmaps a segment makes sure that it is neither offered nor held; so it is held before it is trusted.
Segment* Bridge::hold() {
    Segment* segment = offered_.load();
    for (;;) {
        held_.store(segment);
        Segment* const again = offered_.load();
        if (again == segment) return segment;
        segment = again;
    }
}

Segment* Bridge::holdReady() {
    for (const double until = now() + kForAnEngine; now() < until;) {
        Segment* const segment = hold();
        if (segment == nullptr && prospect_.load() != kStarting) return nullptr;
        if (segment != nullptr) {
            segment->set(kWaits, 1);
            if (wait(*segment, until - now(), [&] { return (*segment)[kReady] != 0; })) return segment;
        }
        held_.store(nullptr);
        std::this_thread::sleep_for(kLook);
    }
    hasGivenUp_ = true;
    return hold();
}

template <class Done> bool Bridge::wait(const Segment& s, double seconds, Done done) {
    int64_t beat = s[kBeat];
    double heard = now();
    for (const double until = heard + seconds; !done();) {
        const double time = now();
        if (s[kBeat] != beat) beat = s[kBeat], heard = time;
        if (time > until || time > heard + kHeartbeat || offered_.load() != &s || s[kStop] != 0) return false;
        std::this_thread::sleep_for(kLook);
    }
    return true;
}

void Bridge::offer(std::unique_ptr<Segment> segment) {
    offered_.store(segment.get());
    while (owned_ != nullptr && held_.load() == owned_.get()) std::this_thread::sleep_for(kLook);
    owned_ = std::move(segment);
}

void Bridge::meet(const Segment& s) {
    if (s.number() != met_) {
        met_ = s.number();
        begun_ = false;
        hasBent_ = hasGivenUp_ = false;
        changed_ = 0;
    }
    const int64_t delay = s[kDelay];
    if (delay != delay_.load(std::memory_order_relaxed) && delay >= kFade && delay <= kLongest) {
        delay_.store(delay, std::memory_order_relaxed);
        jumped_ = true;
    }
}

// At its beginning nobody knows whether a host is in real time, and what comes then is kept back for some blocks: soon
// enough for the engine, and a bounce loses nothing.
bool Bridge::isDecided(bool mayWait) const {
    const double kept = std::max(pace_.enough(), 0.5 * static_cast<double>(delay_.load(std::memory_order_relaxed)));
    return mayWait || waits_.load(std::memory_order_relaxed) == Waits::kNever || static_cast<double>(position_) >= kept;
}

// Hands over what was kept back. Where music has been heard meanwhile, real time begins with what comes now instead. The
// engine forgets what it was given before: it shall not be heard again, nor make a bounce another one.
void Bridge::begin(Segment& s, uint32_t n, bool mayWait) {
    const int64_t length = mayWait ? History::kLength - n : delay_.load(std::memory_order_relaxed);
    const uint32_t kept = position_ <= length ? static_cast<uint32_t>(position_) : 0;
    begun_ = true;
    first_ = s[kPlayed];
    offset_ = first_ + kept - position_;
    if (mayWait && !hasGivenUp_) hasGivenUp_ = !wait(s, kForABlock, [&] { return s[kApplied] >= changed_; });
    if (first_ > 0) s.set(kReset, first_ + 1);
    if (mayWait && !hasGivenUp_) hasGivenUp_ = !wait(s, kForABlock, [&] { return s[kWasReset] == s[kReset]; });
    if (kept == 0) return;
    s.put(first_, history_.left(), history_.right(), kept);
    s.set(kCaptured, first_ + kept);
    s.set(kPlayed, first_ + kept);
}

// In a bounce a change sounds from the first sample of its block on, however fast or slow the engine is: it is made when
// all before has been worked on, and what follows is handed over when it has been made.
void Bridge::passParameters(Segment& s, bool mayWait) {
    std::array<float, kParameters> wanted;
    bool isSame = changed_ > 0;
    for (uint32_t i = 0; i < kParameters; ++i) {
        wanted[i] = wanted_[i].load(std::memory_order_relaxed);
        isSame = isSame && wanted[i] == passed_[i];
    }
    if (isSame) return;
    const int64_t at = position_ + offset_;
    if (mayWait && begun_) hasGivenUp_ = !wait(s, kForABlock, [&] { return s[kTaken] == at; });
    for (uint32_t i = 0; i < kParameters; ++i) {
        s.setParameter(i, wanted[i] != kUntouched ? wanted[i] : i == kGain ? std::nan("") : -1.0);
    }
    s.set(kChanged, ++changed_);
    passed_ = wanted;
    if (mayWait && !hasGivenUp_) hasGivenUp_ = !wait(s, kForABlock, [&] { return s[kApplied] >= changed_; });
}

void Bridge::fill(Segment& s, float* const* out, uint32_t n) {
    const bool isBypassed = wanted_[kBypass].load(std::memory_order_relaxed) > 0.5f;
    const int64_t at = position_ + offset_, end = at + n;
    const bool isReady = begun_ && s[kReady] != 0 && s[kWasReset] == s[kReset];
    const int64_t written = s[kWritten];    // read before `kValid`, which is written before it
    // The engine takes it that there was silence before; but it may have been music, and is still heard dry.
    const int64_t valid = std::max(s[kValid], first_ + delay_.load(std::memory_order_relaxed));
    bool isThere = false;
    for (int64_t from = at; from < end;) {
        const int64_t to = from < valid && valid < end ? valid : end;
        isThere = isReady && from >= valid && written >= to + kFade;
        emit(isThere && !isBypassed ? &s : nullptr, out, static_cast<uint32_t>(from - at), static_cast<uint32_t>(to - from));
        from = to;
    }
    hasBent_ = hasBent_ || isThere;
    hasGivenUp_ = hasGivenUp_ && !isThere;
    if (hasBent_ && !isThere) {
        s.set(kLate, s[kLate] + 1);
        s.set(kLateSamples, s[kLateSamples] + n);
    }
    s.set(kIsBent, isBent_);
    status_.store(isThere ? kBent : hasBent_ ? kIsLate : kStarting, std::memory_order_relaxed);
}

// Fills a part of the output, bent where there is a segment as the source, else dry.
void Bridge::emit(const Segment* source, float* const* out, uint32_t done, uint32_t n) {
    const int64_t position = position_ + done;
    float *const left = out[0] + done, *const right = out[1] + done;
    if (isBent_ != (source != nullptr) || jumped_) turn(position);
    isBent_ = source != nullptr;
    jumped_ = false;
    fetch(source, position, left, right, n);
    for (uint32_t i = 0; i < n && faded_ < kFade; ++i, ++faded_) {
        left[i] = from_.left[faded_] + rise_[faded_] * (left[i] - from_.left[faded_]);
        right[i] = from_.right[faded_] + rise_[faded_] * (right[i] - from_.right[faded_]);
    }
    fetch(source, position + n, next_.left.data(), next_.right.data(), kFade);
}

void Bridge::fetch(const Segment* source, int64_t position, float* left, float* right, uint32_t n) const {
    if (source != nullptr) source->get(position + offset_, left, right, n);
    else history_.get(position - delay_.load(std::memory_order_relaxed), left, right, n);
}

// From now on something else is heard. A fade that is still under way becomes a part of what is faded out.
void Bridge::turn(int64_t position) {
    const auto mixed = [&](std::array<float, kFade>& from, const std::array<float, kFade>& next) {
        for (uint32_t i = 0, j = faded_; i < kFade; ++i, ++j) {
            from[i] = j < kFade ? from[j] + rise_[j] * (next[i] - from[j]) : next[i];
        }
    };
    mixed(from_.left, next_.left);
    mixed(from_.right, next_.right);
    // Before the first sound there was silence, and a first note is not faded in.
    faded_ = position <= delay_.load(std::memory_order_relaxed) ? kFade : 0;
}

}  // namespace audiobend
