// The way to the server: a thread of its own that connects, is told which segment to use, keeps what the host is to
// save, and connects again for as long as it lives. The audio thread never comes here.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "bridge.hpp"

namespace audiobend {

// The socket as the environment has it; the same on the server's side.
std::string socketPath();
// The file that says how to start a server, one word a line; `audiobend plugin install` writes it.
std::string commandPath();

class Link {
  public:
    explicit Link(Bridge& bridge) : bridge_(bridge) {}
    ~Link();

    // Says hello with this sample rate and largest block; again only where they have changed.
    void connect(uint32_t rate, uint32_t block);
    // The host has stopped; after a while the engine is given back. Some hosts keep plugins that they have removed.
    void rest();

    // What the host saves, written and read by the server alone; and what it loaded.
    std::string state() const;
    void setState(const std::string& text);

    // The delay that was last told, and for what: "rate block delay". Saved too, so that a project opens with it.
    std::string told() const;
    void setTold(const std::string& text);
    int64_t delayFor(uint32_t rate, uint32_t block) const;

  private:
    enum class End { kLost, kWanted, kRefused };

    void work();
    bool isWanted();
    void hope(Status prospect);
    void sleep(int milliseconds);
    bool isAsleep() const;
    void renew();
    int dial();
    End converse(int socket);
    bool take(std::string& received, End& end);
    bool obey(const std::string& header, const std::string& body, End& end);
    bool send(int socket, const std::string& header, const std::string& body) const;
    bool spawn();

    Bridge& bridge_;
    mutable std::mutex lock_;    // guards what follows, up to the empty line
    std::condition_variable changed_;
    bool ends_ = false, isNew_ = false, stateIsNew_ = false, stateWasSent_ = false, rests_ = false;
    double restsSince_ = 0;
    uint32_t rate_ = 0, block_ = 0;
    std::string state_;
    uint32_t toldRate_ = 0, toldBlock_ = 0;
    int64_t toldDelay_ = 0;

    std::thread thread_;
    std::string segment_;        // the thread's own
    int64_t owner_ = 0;
};

}  // namespace audiobend
