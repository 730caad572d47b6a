// The way to the server as Python can reach it, beside the audio call.
#include "bridge_c.cpp"
#include "link.hpp"

extern "C" {

Link* link_new(Bridge* bridge) { return new Link(*bridge); }
void link_delete(Link* link) { delete link; }
void link_connect(Link* link, uint32_t rate, uint32_t block) { link->connect(rate, block); }
void link_rest(Link* link) { link->rest(); }
void link_set(Link* link, const char* state) { link->setState(state); }
void link_set_told(Link* link, const char* told) { link->setTold(told); }
int64_t link_delay(const Link* link, uint32_t rate, uint32_t block) { return link->delayFor(rate, block); }

const char* link_state(const Link* link) {
    static std::string text;
    return (text = link->state()).c_str();
}
const char* link_told(const Link* link) {
    static std::string text;
    return (text = link->told()).c_str();
}
const char* socket_path() {
    static std::string text;
    return (text = socketPath()).c_str();
}
const char* command_path() {
    static std::string text;
    return (text = commandPath()).c_str();
}

}  // extern "C"
