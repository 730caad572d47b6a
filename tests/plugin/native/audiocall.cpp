// Calls the audio call very often, with an engine beside it that is there, late, gone and replaced, and counts what a
// real-time thread must not do: in this thread every function that allocates, locks, sleeps or does input and output is
// counted, and on Linux every system call but the clock's is trapped.
//
//     audiocall CALLS [malloc|lock|sleep|write]    the second word is a sin that each thousandth call commits
//
// The engine hands back what it gets, so what comes out is always what went in, the delay later, sample for sample.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <random>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <ucontext.h>

#include "bridge.hpp"

using namespace audiobend;

// ---------------------------------------------------------------------------------------------------------- the watch

static thread_local bool isWatched = false;
static std::atomic<long> forbidden{0}, systemCalls{0};
static std::atomic<const char*> firstForbidden{nullptr};
static std::atomic<long> firstSystemCall{-1};

static void note(const char* name) {
    if (!isWatched) return;
    if (forbidden.fetch_add(1) == 0) firstForbidden.store(name);
}

// Stands before the library's own function, and counts.
#define WATCH(result, name, parameters, ...)                                                \
    extern "C" result name parameters {                                                     \
        static auto* const real = reinterpret_cast<result(*) parameters>(dlsym(RTLD_NEXT, #name)); \
        note(#name);                                                                        \
        return real(__VA_ARGS__);                                                           \
    }

extern "C" void* __libc_malloc(size_t);
extern "C" void __libc_free(void*);
extern "C" void* __libc_calloc(size_t, size_t);
extern "C" void* __libc_realloc(void*, size_t);
extern "C" void* __libc_memalign(size_t, size_t);
extern "C" void* malloc(size_t n) { note("malloc"); return __libc_malloc(n); }
extern "C" void free(void* p) { note("free"); __libc_free(p); }
extern "C" void* calloc(size_t n, size_t m) { note("calloc"); return __libc_calloc(n, m); }
extern "C" void* realloc(void* p, size_t n) { note("realloc"); return __libc_realloc(p, n); }
extern "C" void* memalign(size_t a, size_t n) { note("memalign"); return __libc_memalign(a, n); }
extern "C" void* aligned_alloc(size_t a, size_t n) { note("aligned_alloc"); return __libc_memalign(a, n); }
extern "C" int posix_memalign(void** p, size_t a, size_t n) { note("posix_memalign"); return (*p = __libc_memalign(a, n)) ? 0 : ENOMEM; }
WATCH(int, pthread_mutex_lock, (pthread_mutex_t* m) noexcept, m)
WATCH(int, pthread_mutex_trylock, (pthread_mutex_t* m) noexcept, m)
WATCH(int, pthread_rwlock_rdlock, (pthread_rwlock_t* m) noexcept, m)
WATCH(int, pthread_rwlock_wrlock, (pthread_rwlock_t* m) noexcept, m)
WATCH(int, pthread_spin_lock, (pthread_spinlock_t* m) noexcept, m)
WATCH(int, pthread_cond_wait, (pthread_cond_t* c, pthread_mutex_t* m), c, m)
WATCH(int, pthread_cond_timedwait, (pthread_cond_t* c, pthread_mutex_t* m, const timespec* t), c, m, t)
WATCH(int, pthread_cond_signal, (pthread_cond_t* c) noexcept, c)
WATCH(int, pthread_cond_broadcast, (pthread_cond_t* c) noexcept, c)
WATCH(int, pthread_join, (pthread_t t, void** r), t, r)
WATCH(int, nanosleep, (const timespec* t, timespec* r), t, r)
WATCH(int, clock_nanosleep, (clockid_t c, int f, const timespec* t, timespec* r), c, f, t, r)
WATCH(int, usleep, (useconds_t t), t)
WATCH(unsigned, sleep, (unsigned t), t)
WATCH(int, sched_yield, () noexcept)
WATCH(ssize_t, read, (int f, void* b, size_t n), f, b, n)
WATCH(ssize_t, write, (int f, const void* b, size_t n), f, b, n)
WATCH(ssize_t, send, (int f, const void* b, size_t n, int o), f, b, n, o)
WATCH(ssize_t, recv, (int f, void* b, size_t n, int o), f, b, n, o)
WATCH(int, poll, (pollfd* p, nfds_t n, int t), p, n, t)
WATCH(int, select, (int n, fd_set* r, fd_set* w, fd_set* e, timeval* t), n, r, w, e, t)
WATCH(int, close, (int f), f)
WATCH(int, munmap, (void* p, size_t n) noexcept, p, n)
WATCH(void*, mmap, (void* p, size_t n, int a, int b, int f, off_t o) noexcept, p, n, a, b, f, o)
WATCH(int, shm_open, (const char* n, int f, mode_t m), n, f, m)
WATCH(FILE*, fopen, (const char* p, const char* m), p, m)

static void onTrap(int, siginfo_t* info, void* context) {
    if (systemCalls.fetch_add(1) == 0) firstSystemCall.store(info->si_syscall);
    auto* const machine = static_cast<ucontext_t*>(context);    // the call has not been made
#if defined(__x86_64__)
    machine->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#elif defined(__aarch64__)
    machine->uc_mcontext.regs[0] = static_cast<unsigned long long>(-ENOSYS);
#endif
}

// From here on this thread may look at the clock and return from the trap, and nothing else.
static bool forbidSystemCalls() {
    struct sigaction trap {};
    trap.sa_sigaction = onTrap;
    trap.sa_flags = SA_SIGINFO;
    sigaction(SIGSYS, &trap, nullptr);
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_sigreturn, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
    };
    const sock_fprog program = {sizeof rules / sizeof rules[0], rules};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

// ---------------------------------------------------------------------------------------------------------- the engine

constexpr int64_t kDelaySamples = 120000;

// A segment with an engine that hands back what it gets, the delay later.
class Echo {
  public:
    Echo() {
        static int number = 0;
        name_ = "/audiobend-" + std::to_string(getpid()) + "-call" + std::to_string(number++);
        const int file = shm_open(name_.c_str(), O_CREAT | O_EXCL | O_RDWR, 0600);
        if (file < 0 || ftruncate(file, static_cast<off_t>(kSize)) != 0) std::abort();
        memory_ = static_cast<char*>(mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
        close(file);
        Header header{};
        std::memcpy(header.magic, kMagic, sizeof kMagic);
        header.version = kVersion;
        header.headerSize = sizeof header;
        header.size = kSize;
        header.owner = getpid();
        header.counts = kCounts;
        header.capacity = kCapacity;
        header.channels = kChannels;
        header.parameters = kParameters;
        std::memcpy(memory_, &header, sizeof header);
        input_ = reinterpret_cast<float*>(memory_ + sizeof header + 8 * (kCounts + kParameters));
        output_ = input_ + size_t{kCapacity} * kChannels;
        set(kDelay, kDelaySamples);
        set(kWritten, kDelaySamples);
        set(kReady, 1);
    }
    ~Echo() {
        munmap(memory_, kSize);
        shm_unlink(name_.c_str());
    }

    int64_t step() {
        set(kBeat, get(kBeat) + 1);
        const int64_t played = get(kPlayed);
        if (played - taken_ > kCapacity / 4) {    // it was late for so long that it goes on from here
            taken_ = played;
            set(kValid, played + kDelaySamples);
        }
        for (; taken_ < played; ++taken_) {
            const int64_t from = taken_ % kCapacity, to = (taken_ + kDelaySamples) % kCapacity;
            for (uint32_t c = 0; c < kChannels; ++c) output_[kChannels * to + c] = input_[kChannels * from + c];
        }
        set(kWritten, taken_ + kDelaySamples);
        set(kTaken, taken_);
        return taken_;
    }

    int64_t get(Count count) const { return __atomic_load_n(counts() + count, __ATOMIC_ACQUIRE); }
    const std::string& name() const { return name_; }

  private:
    static constexpr size_t kSize = sizeof(Header) + 8 * (kCounts + kParameters) + 2 * sizeof(float) * size_t{kCapacity} * kChannels;

    int64_t* counts() const { return reinterpret_cast<int64_t*>(memory_ + sizeof(Header)); }
    void set(Count count, int64_t value) { __atomic_store_n(counts() + count, value, __ATOMIC_RELEASE); }

    std::string name_;
    char* memory_;
    float *input_, *output_;
    int64_t taken_ = 0;
};

// --------------------------------------------------------------------------------------------------------- the calls

static float sound(int64_t t) {    // no two stretches alike
    return t < 0 ? 0.0f : static_cast<float>((static_cast<uint64_t>(t) * 2654435761u >> 8) & 0xffffff) / 0x1000000 - 0.5f;
}

static std::atomic<bool> isOver{false};
static std::atomic<long> wrong{0}, bent{0}, late{0}, dry{0};

// What the engine does meanwhile, and the calls for which it does that.
enum Phase : long { kGone, kThere, kSlow, kThereAgain, kReplaced, kPhases };
static std::atomic<long> phase{kGone}, turned{0};    // of the phases gone through: wanted, reached
static std::atomic<int64_t> taken{0};                // samples that the engine has worked on, less those before it came

static void play(Bridge& bridge, long calls, const std::string& sin) {
    if (!forbidSystemCalls()) std::abort();
    static float left[4096], right[4096];
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    std::minstd_rand random(1);
    int64_t t = 0, joined = 0;
    for (long call = 0; call < calls; ++call) {
        const long now = call / (calls / 40);    // each phase eight times
        if (now != phase.load()) {
            phase.store(now);
            while (turned.load() != now) continue;
            if (now % kPhases == kThere || now % kPhases == kReplaced) joined = t;
        }
        // Whoever has the processor: an engine that is there is in time.
        while (now % kPhases != kGone && now % kPhases != kSlow && t - joined - taken.load() > kDelaySamples - 9000) continue;
        const uint32_t most = 1u << std::min(random() % 13, random() % 13);    // more short blocks than long ones
        const uint32_t n = 1 + random() % most;
        for (uint32_t i = 0; i < n; ++i) right[i] = -(left[i] = sound(t + i));
        const float* const in[] = {left, right};
        float* const out[] = {left, right};
        const bool sins = call % 1000 == 999;
        isWatched = true;
        bridge.setParameter(static_cast<Parameter>(kFirstMacro + call % kMacros), static_cast<float>(call % 7) / 7);
        bridge.run(in, out, n);
        if (sins && sin == "malloc") free(malloc(100));
        if (sins && sin == "lock") pthread_mutex_lock(&mutex), pthread_mutex_unlock(&mutex);
        if (sins && sin == "sleep") usleep(1);
        if (sins && sin == "write" && write(2, "", 0) < 0) errno = 0;
        isWatched = false;
        for (uint32_t i = 0; i < n; ++i) {
            const float wanted = sound(t + i - kDelaySamples);
            if (left[i] != wanted || right[i] != -wanted) wrong.fetch_add(1);
        }
        const Status status = bridge.status();
        (status == kBent ? bent : status == kIsLate ? late : dry).fetch_add(1);
        t += n;
    }
    isOver.store(true);
    while (isOver.load()) continue;    // it may not even end: the process does that
}

int main(int, char** words) {
    const long calls = std::atol(words[1]);
    const std::string sin = words[2] == nullptr ? "" : words[2];
    Bridge bridge;
    bridge.setWaits(Waits::kNever);
    bridge.setProspect(kNoServer);
    bridge.activate(44100, 4096, kDelaySamples);
    auto* const player = new std::thread([&] { play(bridge, calls, sin); });
    auto echo = std::make_unique<Echo>();
    std::string why;
    for (long now = 0; !isOver.load();) {    // as the link and the engine would
        if (phase.load() != now) {
            now = phase.load();
            if (now % kPhases == kGone) bridge.offer(nullptr);
            if (now % kPhases == kThere || now % kPhases == kReplaced) {
                auto next = std::make_unique<Echo>();
                bridge.offer(Segment::open(next->name(), why));
                if (!why.empty()) std::abort();
                echo = std::move(next);
                taken.store(0);
            }
            turned.store(now);
        }
        if (now % kPhases != kSlow) taken.store(echo->step());
        std::this_thread::yield();
    }
    (void)player;
    std::printf("{\"calls\": %ld, \"forbidden\": %ld, \"first\": \"%s\", \"system_calls\": %ld, \"first_system_call\": %ld, "
                "\"wrong\": %ld, \"bent\": %ld, \"late\": %ld, \"dry\": %ld, \"phases\": %ld}\n",
                calls, forbidden.load(), firstForbidden.load() ? firstForbidden.load() : "", systemCalls.load(),
                firstSystemCall.load(), wrong.load(), bent.load(), late.load(), dry.load(), turned.load() + 1);
    std::fflush(stdout);
    echo.reset();
    _exit(0);
}
