// A segment of shared memory that the server made: two rings of sound, counts, and the parameters.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "protocol.hpp"

namespace audiobend {

class Segment {
  public:
    // Maps a segment, or returns nothing and says in `why` what is wrong with it: a name that is not ours, another
    // user's, another version, cut off, or one whose server no longer runs.
    static std::unique_ptr<Segment> open(const std::string& name, std::string& why);
    ~Segment();
    Segment(const Segment&) = delete;
    Segment& operator=(const Segment&) = delete;

    // Whoever reads a count finds all that was written before it.
    int64_t operator[](Count count) const { return __atomic_load_n(counts_ + count, __ATOMIC_ACQUIRE); }
    void set(Count count, int64_t value) { __atomic_store_n(counts_ + count, value, __ATOMIC_RELEASE); }
    void setParameter(uint32_t i, double value) { __atomic_store(parameters_ + i, &value, __ATOMIC_RELAXED); }

    // Sound by position, the left and the right channel: any stretch up to the capacity.
    void put(int64_t position, const float* left, const float* right, uint32_t n);
    void get(int64_t position, float* left, float* right, uint32_t n) const;

    const std::string& name() const { return name_; }
    int64_t owner() const { return owner_; }      // process that made it
    uint64_t number() const { return number_; }   // no two have the same, however often one is mapped

  private:
    Segment() = default;
    bool lookAt(std::string& why);

    std::string name_;
    int64_t owner_ = 0;
    uint64_t number_ = 0;
    void* memory_ = nullptr;
    size_t mapped_ = 0;
    uint32_t capacity_ = 0;
    int64_t* counts_ = nullptr;
    double* parameters_ = nullptr;
    float* input_ = nullptr;
    float* output_ = nullptr;
};

// Removes a segment whose server was killed: it could not do so itself.
void removeOrphan(const std::string& name, int64_t owner);

bool runs(int64_t process);

}  // namespace audiobend
