#include "link.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <spawn.h>
#include <sstream>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

extern char** environ;

namespace audiobend {

namespace {

constexpr int kLook = 50, kAgain = 100, kAfterRefusal = 5000;    // ms
constexpr double kStartsAgain = 30;                              // s from one start of a server to the next
constexpr double kFallsAsleep = 10;                              // s from the host's stop to the connection's end
constexpr size_t kLongestHeader = 256, kLongestBody = 1 << 20;

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

// Nobody else may put a socket where we look for one.
bool isPrivate(const std::string& folder) {
    struct stat found {};
    return lstat(folder.c_str(), &found) == 0 && S_ISDIR(found.st_mode) && found.st_uid == geteuid()
        && (found.st_mode & 077) == 0;
}

}  // namespace

std::string socketPath() {
    if (const auto path = variable("AUDIOBEND_SERVER"); !path.empty()) return path;
    if (const auto folder = variable("XDG_RUNTIME_DIR"); !folder.empty()) return folder + "/audiobend/server.sock";
    return "/tmp/audiobend-" + std::to_string(geteuid()) + "/server.sock";
}

std::string commandPath() {
#ifdef __APPLE__
    return variable("HOME") + "/Library/Application Support/audiobend/server-command";
#else
    const auto folder = variable("XDG_CONFIG_HOME");
    return (folder.empty() ? variable("HOME") + "/.config" : folder) + "/audiobend/server-command";
#endif
}

Link::~Link() {
    {
        std::lock_guard guard(lock_);
        ends_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Link::connect(uint32_t rate, uint32_t block) {
    std::lock_guard guard(lock_);
    if (rests_) changed_.notify_all();
    rests_ = false;
    if (rate == rate_ && block == block_ && !stateWasSent_) return;
    rate_ = rate;
    block_ = block;
    renew();
    if (!thread_.joinable()) thread_ = std::thread(&Link::work, this);
}

// Another engine: the one that is there was made for other blocks, or has yet to come to what the host has loaded.
void Link::renew() {
    isNew_ = true;
    bridge_.setProspect(kStarting);
    bridge_.withdraw();
    changed_.notify_all();
}

void Link::rest() {
    std::lock_guard guard(lock_);
    rests_ = true;
    restsSince_ = now();
}

bool Link::isAsleep() const { return rests_ && now() > restsSince_ + kFallsAsleep; }

std::string Link::state() const {
    std::lock_guard guard(lock_);
    return state_;
}

void Link::setState(const std::string& text) {
    std::lock_guard guard(lock_);
    if (text == state_) return;
    state_ = text;
    if (bridge_.hasBegun()) stateIsNew_ = stateWasSent_ = true;    // while sound runs it is gone over to
    else if (thread_.joinable()) renew();
}

std::string Link::told() const {
    std::lock_guard guard(lock_);
    std::ostringstream text;
    text << toldRate_ << ' ' << toldBlock_ << ' ' << toldDelay_;
    return text.str();
}

void Link::setTold(const std::string& text) {
    std::lock_guard guard(lock_);
    std::istringstream words(text);
    if (!(words >> toldRate_ >> toldBlock_ >> toldDelay_)) toldRate_ = 0;
}

int64_t Link::delayFor(uint32_t rate, uint32_t block) const {
    std::lock_guard guard(lock_);
    return rate == toldRate_ ? toldDelay_ - toldBlock_ + block : usualDelay(rate, block);
}

void Link::work() {
    while (isWanted()) {
        const int socket = dial();
        if (socket >= 0) {
            hope(kStarting);
            const End end = converse(socket);
            hope(end == End::kRefused ? kRefused : kStarting);    // before the segment goes
            bridge_.offer(nullptr);
            close(socket);
            removeOrphan(segment_, owner_);
            if (end != End::kWanted) sleep(end == End::kRefused ? kAfterRefusal : kAgain);
        } else {
            if (!spawn()) hope(kNoServer);
            sleep(kAgain);
        }
    }
}

// Waits while the host is stopped. What is new from here on cuts the next wait short.
bool Link::isWanted() {
    std::unique_lock guard(lock_);
    changed_.wait(guard, [this] { return ends_ || !isAsleep(); });
    isNew_ = false;
    return !ends_;
}

// What became of the last connection says nothing about one that the host has just asked for.
void Link::hope(Status prospect) {
    std::lock_guard guard(lock_);
    if (!isNew_) bridge_.setProspect(prospect);
}

void Link::sleep(int milliseconds) {
    std::unique_lock guard(lock_);
    changed_.wait_for(guard, std::chrono::milliseconds(milliseconds), [this] { return ends_ || isNew_; });
}

int Link::dial() {
    const std::string path = socketPath();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path || !isPrivate(path.substr(0, path.rfind('/')))) return -1;
    std::memcpy(address.sun_path, path.c_str(), path.size());
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (socket < 0) return -1;
    fcntl(socket, F_SETFD, FD_CLOEXEC);    // a server that we start must not keep our connection open
    const timeval patience{1, 0};
    setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
#ifdef SO_NOSIGPIPE
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_NOSIGPIPE, &yes, sizeof yes);
#endif
    if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return socket;
    close(socket);
    return -1;
}

// Talks until the server hangs up, refuses or is no longer wanted.
Link::End Link::converse(int socket) {
    segment_.clear();
    {
        std::lock_guard guard(lock_);
        isNew_ = stateIsNew_ = stateWasSent_ = false;
        std::ostringstream hello;
        hello << "hello " << kProtocol << ' ' << rate_ << ' ' << block_;
        if (!send(socket, hello.str(), state_)) return End::kLost;
    }
    std::string received;
    int64_t beat = 0;
    double heard = now();
    for (End end = End::kLost;;) {
        pollfd ready{socket, POLLIN, 0};
        if (poll(&ready, 1, kLook) < 0 && errno != EINTR) return End::kLost;
        {
            std::lock_guard guard(lock_);
            if (ends_ || isNew_ || isAsleep()) return End::kWanted;
            if (stateIsNew_ && !send(socket, "state", state_)) return End::kLost;
            stateIsNew_ = false;
        }
        if (const int64_t last = bridge_.beat(); segment_.empty() || last != beat) beat = last, heard = now();
        if (now() > heard + kHeartbeat) return End::kLost;    // stopped, or its machine is; perhaps another one is there
        if ((ready.revents & (POLLIN | POLLHUP | POLLERR)) == 0) continue;
        char bytes[65536];
        const ssize_t n = read(socket, bytes, sizeof bytes);
        if (n <= 0) return End::kLost;
        received.append(bytes, static_cast<size_t>(n));
        if (!take(received, end)) return end;
    }
}

// Takes whole messages off what was received; false where the conversation is over.
bool Link::take(std::string& received, End& end) {
    for (;;) {
        const size_t line = received.find('\n');
        if (line == std::string::npos) return received.size() <= kLongestHeader;
        if (line > kLongestHeader) return false;
        const std::string header = received.substr(0, line);
        const size_t blank = header.rfind(' ');
        const std::string count = blank == std::string::npos ? "" : header.substr(blank + 1);
        if (count.empty() || count.size() > 7 || count.find_first_not_of("0123456789") != std::string::npos) return false;
        const size_t size = std::stoul(count);
        if (size > kLongestBody) return false;
        if (received.size() < line + 1 + size) return true;    // the rest is on its way
        const std::string body = received.substr(line + 1, size);
        received.erase(0, line + 1 + size);
        if (!obey(header, body, end)) return false;
    }
}

bool Link::obey(const std::string& header, const std::string& body, End& end) {
    std::istringstream words(header);
    std::string verb, name;
    int64_t delay = 0;
    words >> verb;
    if (verb == "welcome" && words >> name >> delay) {
        if (name.front() != '/') name.insert(0, "/");
        std::string why;
        auto segment = Segment::open(name, why);
        if (segment == nullptr) {
            std::fprintf(stderr, "audiobend: %s\n", why.c_str());
            return end = End::kRefused, false;
        }
        segment_ = name;
        owner_ = segment->owner();
        std::lock_guard guard(lock_);
        if (!isNew_) bridge_.offer(std::move(segment));
    } else if (verb == "refuse") {
        std::fprintf(stderr, "audiobend: the server refuses: %s\n", body.c_str());
        return end = End::kRefused, false;
    }
    std::lock_guard guard(lock_);
    if (verb == "state") state_ = body;
    if (verb == "welcome" || (verb == "latency" && words >> delay)) {
        toldRate_ = rate_;
        toldBlock_ = block_;
        toldDelay_ = delay;
    }
    return true;    // other verbs are for plugins that come after this one
}

bool Link::send(int socket, const std::string& header, const std::string& body) const {
    const std::string message = header + ' ' + std::to_string(body.size()) + '\n' + body;
#ifdef MSG_NOSIGNAL
    constexpr int flags = MSG_NOSIGNAL;
#else
    constexpr int flags = 0;
#endif
    for (size_t done = 0; done < message.size();) {
        const ssize_t n = ::send(socket, message.data() + done, message.size() - done, flags);
        if (n <= 0) return false;
        done += static_cast<size_t>(n);
    }
    return true;
}

// Starts a server where the user has said how; whether one may be on its way.
bool Link::spawn() {
    static std::mutex lock;    // several instances in a host start one together
    static double last = -kStartsAgain;
    std::lock_guard guard(lock);
    if (now() < last + kStartsAgain) return true;
    if (variable("AUDIOBEND_NO_SPAWN") == "1") return false;
    std::ifstream file(commandPath());
    std::vector<std::string> words;
    for (std::string word; std::getline(file, word);) {
        if (!word.empty()) words.push_back(word);
    }
    if (words.empty()) return false;
    last = now();
    // A shell that ends at once: the server is nobody's child then, and outlives the host.
    std::string shell[] = {"/bin/sh", "-c", "\"$@\" &", "sh"};
    std::vector<char*> arguments;
    for (auto& word : shell) arguments.push_back(word.data());
    for (auto& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    for (int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        posix_spawn_file_actions_addopen(&files, number, "/dev/null", O_RDWR, 0);
    }
    sigset_t none;
    sigemptyset(&none);    // hosts block signals in their threads, and that would be passed on
    posix_spawnattr_t how;
    posix_spawnattr_init(&how);
    posix_spawnattr_setsigmask(&how, &none);
    posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    pid_t process = 0;
    const int error = posix_spawn(&process, arguments[0], &files, &how, arguments.data(), environ);
    if (error == 0) waitpid(process, nullptr, 0);
    posix_spawnattr_destroy(&how);
    posix_spawn_file_actions_destroy(&files);
    return error == 0;
}

}  // namespace audiobend
