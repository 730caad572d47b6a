// A host of CLAP plugins as a program, which does what one line after the other says, and answers each with a line:
//
//   set NAME VALUE             before the next block
//   play IN RATE BLOCK OUT     files of interleaved stereo float32, as fast as it goes; the latency is taken off and told
//   save PATH, restore PATH    the project's state
//   describe                   identity, ports and parameters
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "clap/entry.h"
#include "clap/ext/audio-ports.h"
#include "clap/ext/latency.h"
#include "clap/ext/params.h"
#include "clap/ext/state.h"
#include "clap/ext/thread-check.h"
#include "clap/plugin-factory.h"

namespace {

const std::thread::id main_thread = std::this_thread::get_id();
bool is_processing = false;    // one thread is both, one after the other

void demand(bool is_so, const char* what) {
    if (is_so) return;
    std::fprintf(stderr, "the plugin breaks a rule: %s\n", what);
    std::exit(1);
}

const void* extension(const clap_host_t*, const char* id) {
    static const clap_host_latency_t latency{
        [](const clap_host_t*) { demand(!is_processing, "latency changed while it plays"); }};
    static const clap_host_params_t params{
        [](const clap_host_t*, clap_param_rescan_flags) {}, [](const clap_host_t*, clap_id, clap_param_clear_flags) {},
        [](const clap_host_t*) {}};
    static const clap_host_state_t state{[](const clap_host_t*) {}};
    static const clap_host_thread_check_t threads{
        [](const clap_host_t*) { return std::this_thread::get_id() == main_thread && !is_processing; },
        [](const clap_host_t*) { return std::this_thread::get_id() == main_thread && is_processing; }};
    if (std::strcmp(id, CLAP_EXT_LATENCY) == 0) return &latency;
    if (std::strcmp(id, CLAP_EXT_PARAMS) == 0) return &params;
    if (std::strcmp(id, CLAP_EXT_STATE) == 0) return &state;
    if (std::strcmp(id, CLAP_EXT_THREAD_CHECK) == 0) return &threads;
    return nullptr;
}

const clap_host_t host{CLAP_VERSION, nullptr, "a test", "audiobend", "", "1", extension,
                       [](const clap_host_t*) {}, [](const clap_host_t*) {}, [](const clap_host_t*) {}};

using Changes = std::vector<clap_event_param_value_t>;

Changes& changes_of(const clap_input_events_t* list) { return *static_cast<Changes*>(list->ctx); }

uint32_t count(const clap_input_events_t* list) { return static_cast<uint32_t>(changes_of(list).size()); }

const clap_event_header_t* change(const clap_input_events_t* list, uint32_t i) { return &changes_of(list)[i].header; }

bool forget(const clap_output_events_t*, const clap_event_header_t*) { return true; }

std::vector<float> read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)), {});
    std::vector<float> samples(bytes.size() / sizeof(float));
    std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(float));
    return samples;
}

void write(const std::string& path, const float* samples, size_t n) {
    const auto* const bytes = reinterpret_cast<const char*>(samples);
    std::ofstream(path, std::ios::binary).write(bytes, static_cast<std::streamsize>(n * sizeof(float)));
}

class Hosted {
  public:
    explicit Hosted(const char* path) {
        void* const library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        demand(library != nullptr, "it cannot be loaded");
        entry_ = static_cast<const clap_plugin_entry_t*>(dlsym(library, "clap_entry"));
        demand(entry_ != nullptr && entry_->init(path), "there is no entry");
        const void* const made = entry_->get_factory(CLAP_PLUGIN_FACTORY_ID);
        const auto* const factory = static_cast<const clap_plugin_factory_t*>(made);
        demand(factory != nullptr && factory->get_plugin_count(factory) == 1, "there must be one plugin");
        plugin_ = factory->create_plugin(factory, &host, factory->get_plugin_descriptor(factory, 0)->id);
        demand(plugin_ != nullptr && plugin_->init(plugin_), "it cannot be made");
        params_ = part<clap_plugin_params_t>(CLAP_EXT_PARAMS);
        ports_ = part<clap_plugin_audio_ports_t>(CLAP_EXT_AUDIO_PORTS);
        state_ = part<clap_plugin_state_t>(CLAP_EXT_STATE);
        latency_ = part<clap_plugin_latency_t>(CLAP_EXT_LATENCY);
    }

    ~Hosted() {
        plugin_->destroy(plugin_);
        entry_->deinit();
    }

    void set(const std::string& name, double value) {
        for (uint32_t i = 0; i < params_->count(plugin_); ++i) {
            const clap_param_info_t info = about(i);
            if (plain(info.name) != name) continue;
            clap_event_param_value_t change{};
            change.header = {sizeof change, 0, CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_PARAM_VALUE, 0};
            change.param_id = info.id;
            change.cookie = info.cookie;
            change.note_id = change.port_index = change.channel = change.key = -1;
            change.value = value;
            changes_.push_back(change);
            return;
        }
        demand(false, ("there is no parameter " + name).c_str());
    }

    uint32_t play(const std::string& in, double rate, uint32_t block, const std::string& out) {
        demand(plugin_->activate(plugin_, rate, 1, block), "it cannot be activated");
        const uint32_t latency = latency_->get(plugin_);
        demand(plugin_->start_processing(plugin_), "it cannot begin");
        is_processing = true;
        std::vector<float> sound = read(in), heard;
        sound.resize(sound.size() + 2 * latency);
        for (size_t done = 0; done < sound.size() / 2; done += block) {
            process(sound, done, std::min<size_t>(block, sound.size() / 2 - done), heard);
        }
        is_processing = false;
        plugin_->stop_processing(plugin_);
        plugin_->deactivate(plugin_);
        write(out, heard.data() + 2 * latency, heard.size() - 2 * latency);
        return latency;
    }

    void save(const std::string& path) const {
        std::string text;
        const clap_ostream_t stream{&text, [](const clap_ostream_t* s, const void* bytes, uint64_t n) {
            static_cast<std::string*>(s->ctx)->append(static_cast<const char*>(bytes), n);
            return static_cast<int64_t>(n);    // all at once: DPF 1.6 cannot go on in the middle
        }};
        demand(state_->save(plugin_, &stream), "its state cannot be saved");
        std::ofstream(path, std::ios::binary) << text;
    }

    void restore(const std::string& path) const {
        std::ifstream file(path, std::ios::binary);
        const clap_istream_t stream{&file, [](const clap_istream_t* s, void* bytes, uint64_t n) {
            auto& from = *static_cast<std::ifstream*>(s->ctx);
            from.read(static_cast<char*>(bytes), static_cast<std::streamsize>(n));
            return static_cast<int64_t>(from.gcount());
        }};
        demand(state_->load(plugin_, &stream), "its state cannot be loaded");
    }

    std::string describe() const {
        std::ostringstream text;
        text << plugin_->desc->id;
        for (const bool is_input : {true, false}) {
            demand(ports_->count(plugin_, is_input) == 1, "there must be one port each way");
            clap_audio_port_info_t info{};
            ports_->get(plugin_, 0, is_input, &info);
            text << ' ' << info.channel_count;
        }
        for (uint32_t i = 0; i < params_->count(plugin_); ++i) text << ' ' << plain(about(i).name);
        return text.str();
    }

  private:
    template <class Part> const Part* part(const char* id) const {
        const void* const found = plugin_->get_extension(plugin_, id);
        demand(found != nullptr, id);
        return static_cast<const Part*>(found);
    }

    clap_param_info_t about(uint32_t i) const {
        clap_param_info_t info{};
        demand(params_->get_info(plugin_, i, &info), "it must describe its parameters");
        return info;
    }

    static std::string plain(std::string name) {
        for (char& letter : name) letter = letter == ' ' ? '_' : static_cast<char>(std::tolower(letter));
        return name;
    }

    void process(const std::vector<float>& sound, size_t done, size_t n, std::vector<float>& heard) {
        std::vector<float> left(n), right(n);
        for (size_t i = 0; i < n; ++i) left[i] = sound[2 * (done + i)], right[i] = sound[2 * (done + i) + 1];
        float* channels[] = {left.data(), right.data()};
        const clap_audio_buffer_t in{channels, nullptr, 2, 0, 0};
        clap_audio_buffer_t out{channels, nullptr, 2, 0, 0};    // in place, as most hosts do
        const clap_input_events_t given{&changes_, count, change};
        const clap_output_events_t told{nullptr, forget};
        const auto time = static_cast<int64_t>(done);
        const clap_process_t call{time, static_cast<uint32_t>(n), nullptr, &in, &out, 1, 1, &given, &told};
        demand(plugin_->process(plugin_, &call) != CLAP_PROCESS_ERROR, "it cannot process");
        changes_.clear();
        for (size_t i = 0; i < n; ++i) heard.push_back(left[i]), heard.push_back(right[i]);
    }

    const clap_plugin_entry_t* entry_;
    const clap_plugin_t* plugin_;
    const clap_plugin_params_t* params_;
    const clap_plugin_audio_ports_t* ports_;
    const clap_plugin_state_t* state_;
    const clap_plugin_latency_t* latency_;
    Changes changes_;
};

}  // namespace

int main(int, char** words) {
    Hosted hosted(words[1]);
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream order(line);
        std::string verb, name, out;
        double value = 0;
        uint32_t block = 0;
        order >> verb >> name;
        if (verb == "set" && order >> value) hosted.set(name, value);
        if (verb == "save") hosted.save(name);
        if (verb == "restore") hosted.restore(name);
        if (verb == "describe") std::cout << hosted.describe();
        if (verb == "play" && order >> value >> block >> out) std::cout << hosted.play(name, value, block, out);
        std::cout << std::endl;
    }
}
