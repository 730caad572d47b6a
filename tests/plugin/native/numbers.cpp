// Prints all that the plugin has agreed upon with the server.
#include <cstdio>
#include <initializer_list>

#include "protocol.hpp"

using namespace audiobend;

int main() {
    std::printf("{\"header\": %zu, \"version\": %u, \"capacity\": %u, \"channels\": %u, \"fade\": %u, \"parameters\": %u,\n",
                sizeof(Header), kVersion, kCapacity, kChannels, kFade, kParameters);
    std::printf("\"counts\": {\"PLAYED\": %u, \"CALLBACKS\": %u, \"BLOCK\": %u, \"LATE\": %u, \"LATE_SAMPLES\": %u, \"XRUNS\": %u, "
                "\"IS_BENT\": %u, \"CAPTURED\": %u, \"ENDS\": %u, \"WRITTEN\": %u, \"VALID\": %u, \"SKIPPED\": %u, \"READY\": %u, "
                "\"DELAY\": %u, \"KEEPS\": %u, \"WAITS\": %u, \"STOP\": %u, \"FROM_FILE\": %u, \"LOOKS\": %u, \"TURNS\": %u, "
                "\"CHANGED\": %u, \"RESET\": %u, \"WAS_RESET\": %u, \"TAKEN\": %u, \"BEAT\": %u, \"APPLIED\": %u},\n",
                kPlayed, kCallbacks, kBlock, kLate, kLateSamples, kXruns, kIsBent, kCaptured, kEnds, kWritten, kValid,
                kSkipped, kReady, kDelay, kKeeps, kWaits, kStop, kFromFile, kLooks, kTurns, kChanged, kReset, kWasReset,
                kTaken, kBeat, kApplied);
    std::printf("\"parameter\": {\"BYPASS\": %u, \"MIX\": %u, \"DETAIL\": %u, \"GAIN\": %u, \"SCENE\": %u, \"MORPH\": %u, "
                "\"MACRO\": %u},\n", kBypass, kMix, kDetail, kGain, kScene, kMorph, kFirstMacro);
    std::printf("\"delays\": {");
    const int rates[] = {8000, 22050, 44100, 48000, 88200, 96000, 192000};
    for (int rate : rates) {
        for (int block : {1, 64, 4096}) {
            std::printf("%s\"%d %d\": %lld", rate == 8000 && block == 1 ? "" : ", ", rate, block,
                        static_cast<long long>(usualDelay(rate, block)));
        }
    }
    std::printf("}}\n");
}
