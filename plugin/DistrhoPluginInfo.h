#ifndef DISTRHO_PLUGIN_INFO_H
#define DISTRHO_PLUGIN_INFO_H

#define DISTRHO_PLUGIN_BRAND "audiobend"
#define DISTRHO_PLUGIN_NAME "audiobend"
#define DISTRHO_PLUGIN_URI "urn:audiobend:plugin"
#define DISTRHO_PLUGIN_CLAP_ID "audiobend.plugin"
#define DISTRHO_PLUGIN_BRAND_ID ABnd
#define DISTRHO_PLUGIN_UNIQUE_ID aBnd

#define DISTRHO_PLUGIN_HAS_UI 0
#define DISTRHO_PLUGIN_IS_RT_SAFE 1
#define DISTRHO_PLUGIN_NUM_INPUTS 2
#define DISTRHO_PLUGIN_NUM_OUTPUTS 2
#define DISTRHO_PLUGIN_WANT_LATENCY 1
#define DISTRHO_PLUGIN_WANT_STATE 1
#define DISTRHO_PLUGIN_WANT_FULL_STATE 1    // what is to be saved comes from the server, not from the host

#define DISTRHO_PLUGIN_LV2_CATEGORY "lv2:SpectralPlugin"
#define DISTRHO_PLUGIN_CLAP_FEATURES "audio-effect", "distortion", "stereo"
#define DISTRHO_PLUGIN_VST3_CATEGORIES "Fx|Distortion"

#endif
