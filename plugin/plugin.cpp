// The plugin as hosts see it, in every format: parameters, state and latency. All that it does is in the bridge.
#include "DistrhoPlugin.hpp"

#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "link.hpp"

START_NAMESPACE_DISTRHO

namespace {

// Two more than the server knows of.
constexpr uint32_t kWaits = audiobend::kParameters, kStatus = kWaits + 1, kAll = kWaits + 2;

constexpr uint32_t kStates = 2;
constexpr const char* kKeys[kStates] = {"project", "delay"};
constexpr const char* kNothing = "-";    // DPF cannot read an empty text back

// Parameters of the host's: name, symbol, unit, least, greatest and usual value.
struct Dial {
    const char *name, *symbol, *unit;
    float least, greatest, usual;
};
constexpr Dial kDials[audiobend::kFirstMacro] = {
    {"Bypass", "dpf_bypass", "", 0, 1, 0},    // named by DPF
    {"Mix", "mix", "", 0, 1, 1},
    {"Detail", "detail", "", 0, 1, 0},
    {"Gain", "gain", "dB", -60, 24, 0},
    {"Scene", "scene", "", 0, 16, 0},
    {"Morph", "morph", "", 0, 1, 0},
};

void initChoice(Parameter& parameter, const char* name, const char* symbol, std::initializer_list<const char*> labels) {
    const uint8_t n = static_cast<uint8_t>(labels.size());
    auto* const values = new ParameterEnumerationValue[n];    // the parameter deletes them
    uint8_t i = 0;
    for (const char* label : labels) {
        values[i].value = i;
        values[i++].label = label;
    }
    parameter.enumValues.count = n;
    parameter.enumValues.restrictedMode = true;
    parameter.enumValues.values = values;
    parameter.name = name;
    parameter.symbol = symbol;
    parameter.ranges = ParameterRanges(0, 0, n - 1);
    parameter.hints = kParameterIsInteger;
}

}  // namespace

class AudiobendPlugin : public Plugin {
  public:
    AudiobendPlugin() : Plugin(kAll, 0, kStates), link_(bridge_) {
        for (uint32_t i = 0; i < kWaits; ++i) shown_[i].store(i < audiobend::kFirstMacro ? kDials[i].usual : 0);
        setLatency(static_cast<uint32_t>(delay()));
    }

  protected:
    const char* getLabel() const override { return "audiobend"; }
    const char* getDescription() const override { return "Bends the inside of a neural network while sound runs through it."; }
    const char* getMaker() const override { return "audiobend"; }
    const char* getLicense() const override { return "MIT"; }
    uint32_t getVersion() const override { return d_version(0, 1, 0); }
    int64_t getUniqueId() const override { return d_cconst('a', 'B', 'n', 'd'); }

    void initParameter(uint32_t index, Parameter& parameter) override {
        if (index == audiobend::kBypass) {
            parameter.initDesignation(kParameterDesignationBypass);
        } else if (index < audiobend::kFirstMacro) {
            const Dial& dial = kDials[index];
            parameter.hints = kParameterIsAutomatable | (index == audiobend::kScene ? kParameterIsInteger : 0);
            parameter.name = dial.name;
            parameter.symbol = dial.symbol;
            parameter.unit = dial.unit;
            parameter.ranges = ParameterRanges(dial.usual, dial.least, dial.greatest);
        } else if (index < kWaits) {
            const String number(index - audiobend::kFirstMacro + 1);
            parameter.hints = kParameterIsAutomatable;
            parameter.name = "Macro " + number;
            parameter.symbol = "macro" + number;
        } else if (index == kWaits) {
            initChoice(parameter, "Waits", "waits", {"faster than real time", "never", "always"});
        } else {
            initChoice(parameter, "Status", "status", {"no server", "starting", "bent", "late: dry", "refused"});
            parameter.hints |= kParameterIsOutput;
        }
    }

    float getParameterValue(uint32_t index) const override {
        return index == kStatus ? static_cast<float>(bridge_.status()) : shown_[index].load(std::memory_order_relaxed);
    }

    void setParameterValue(uint32_t index, float value) override {
        if (index >= kStatus) return;
        const float before = shown_[index].exchange(value, std::memory_order_relaxed);
        if (before == value) return;    // a host that sets what is usual has not touched it: the patch's own value stays
        if (index == kWaits) bridge_.setWaits(static_cast<audiobend::Waits>(static_cast<int>(value + 0.5f)));
        else bridge_.setParameter(static_cast<audiobend::Parameter>(index), value);
    }

    void initState(uint32_t index, State& state) override {
        state.hints = kStateIsOnlyForDSP;
        state.key = state.label = kKeys[index];
        state.defaultValue = kNothing;
    }

    String getState(const char* key) const override {
        const std::string text = std::strcmp(key, kKeys[0]) == 0 ? link_.state() : link_.told();
        return String(text.empty() ? kNothing : text.c_str());
    }

    void setState(const char* key, const char* value) override {
        const std::string text = std::strcmp(value, kNothing) == 0 ? "" : value;
        if (std::strcmp(key, kKeys[0]) == 0) link_.setState(text);
        else link_.setTold(text);
    }

    void activate() override {
        bridge_.activate(getSampleRate(), block(), delay());
        link_.connect(rate(), block());
        setLatency(static_cast<uint32_t>(bridge_.delay()));
    }

    void deactivate() override { link_.rest(); }

    void run(const float** inputs, float** outputs, uint32_t frames) override {
        bridge_.run(inputs, outputs, frames);
        setLatency(static_cast<uint32_t>(bridge_.delay()));
    }

  private:
    uint32_t rate() const { return static_cast<uint32_t>(getSampleRate() + 0.5); }
    uint32_t block() const { return std::clamp(getBufferSize(), 1u, audiobend::kLongestBlock); }
    int64_t delay() const { return link_.delayFor(rate(), block()); }

    audiobend::Bridge bridge_;
    audiobend::Link link_;    // ends first
    std::atomic<float> shown_[kStatus] = {};

    DISTRHO_DECLARE_NON_COPYABLE_WITH_LEAK_DETECTOR(AudiobendPlugin)
};

Plugin* createPlugin() { return new AudiobendPlugin(); }

END_NAMESPACE_DISTRHO
