#include "segment.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace audiobend {

namespace {

constexpr size_t kPrefix = sizeof("/audiobend-") - 1;

bool isOurs(const std::string& name) {
    return name.compare(0, kPrefix, "/audiobend-") == 0 && name.size() > kPrefix && name.size() < 64
        && name.find('/', 1) == std::string::npos;
}

// Bytes up to the end of the second ring: all that is touched here.
uint64_t needed(const Header& header) {
    const uint64_t ring = uint64_t{header.capacity} * header.channels * sizeof(float);
    return sizeof(Header) + 8 * (uint64_t{header.counts} + header.gauges + header.parameters) + 2 * ring;
}

}  // namespace

bool runs(int64_t process) {
    return process > 0 && (kill(static_cast<pid_t>(process), 0) == 0 || errno == EPERM);
}

void removeOrphan(const std::string& name, int64_t owner) {
    if (isOurs(name) && !runs(owner)) shm_unlink(name.c_str());
}

std::unique_ptr<Segment> Segment::open(const std::string& name, std::string& why) {
    if (!isOurs(name)) return why = "the segment's name is not one of audiobend's", nullptr;
    const int file = shm_open(name.c_str(), O_RDWR, 0);
    if (file < 0) return why = "there is no such segment", nullptr;
    struct stat found {};
    std::unique_ptr<Segment> segment(new Segment);
    segment->name_ = name;
    if (fstat(file, &found) != 0 || found.st_uid != geteuid() || (found.st_mode & 077) != 0) {
        why = "the segment is not its owner's alone";
    } else if (found.st_size < static_cast<off_t>(sizeof(Header))) {
        why = "the segment is cut off";
    } else {
        segment->mapped_ = static_cast<size_t>(found.st_size);
        void* const memory = mmap(nullptr, segment->mapped_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED) why = "the segment cannot be mapped";
        else segment->memory_ = memory;
    }
    close(file);
    if (segment->memory_ == nullptr || !segment->lookAt(why)) return nullptr;
    return segment;
}

bool Segment::lookAt(std::string& why) {
    Header header;
    std::memcpy(&header, memory_, sizeof header);    // once: what was checked cannot change afterwards
    if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0) why = "the segment is not audiobend's";
    else if (header.version != kVersion) why = "the segment has another version";
    else if (header.headerSize != sizeof(Header) || header.channels != kChannels || header.parameters < kParameters
             || header.counts < kCounts || header.capacity == 0 || header.capacity > kCapacity)
        why = "the segment has another layout";
    else if (header.size > mapped_ || needed(header) > header.size) why = "the segment is cut off";
    else if (!runs(header.owner)) why = "the segment's server has ended";
    else {
        static std::atomic<uint64_t> numbers{0};
        number_ = ++numbers;
        owner_ = header.owner;
        capacity_ = header.capacity;
        char* at = static_cast<char*>(memory_) + sizeof(Header);
        counts_ = reinterpret_cast<int64_t*>(at);
        parameters_ = reinterpret_cast<double*>(at += 8 * (size_t{header.counts} + header.gauges));
        input_ = reinterpret_cast<float*>(at += 8 * size_t{header.parameters});
        output_ = input_ + size_t{capacity_} * kChannels;
        return true;
    }
    return false;
}

Segment::~Segment() {
    if (memory_ != nullptr) munmap(memory_, mapped_);
}

void Segment::put(int64_t position, const float* left, const float* right, uint32_t n) {
    uint32_t place = static_cast<uint32_t>(position % capacity_);
    for (uint32_t i = 0; i < n; ++i) {
        input_[kChannels * place] = left[i];
        input_[kChannels * place + 1] = right[i];
        if (++place == capacity_) place = 0;
    }
}

void Segment::get(int64_t position, float* left, float* right, uint32_t n) const {
    uint32_t place = static_cast<uint32_t>(position % capacity_);
    for (uint32_t i = 0; i < n; ++i) {
        left[i] = output_[kChannels * place];
        right[i] = output_[kChannels * place + 1];
        if (++place == capacity_) place = 0;
    }
}

}  // namespace audiobend
