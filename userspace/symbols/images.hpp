// SPDX-License-Identifier: Apache-2.0
//
// The mapped files as libdwfl knows them: which module an address lies in, and where that was linked to lie. Runs in
// the worker; nothing is ever looked up in the network.
#pragma once

#include <elfutils/libdwfl.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "symbols/mapped_files.hpp"
#include "symbols/position.hpp"

namespace mapaudit::symbols {

class Images {
public:
    // Opens ELF files, symbol tables and separate debug files at once, so that they stay readable after the target's
    // end. What cannot be opened, or is not trusted, is a mapping without a module. `files` and `marker` are used on.
    Images(const MappedFiles& files, Marker& marker);

    struct Found {
        std::uint32_t index = 0;           // into MappedFiles::all()
        const MappedFile* file = nullptr;  // null: the address is in no mapped file
        Dwfl_Module* module = nullptr;     // null: the file could not be read
        std::uint64_t offset = 0;          // link-time address, as nm and addr2line give it; file offset without module
    };
    Found find(std::uint64_t address) const;
    // A word of read-only data, from the module's file.
    bool read_constant(std::uint64_t address, std::uint64_t& word) const;

    Dwfl* dwfl() const { return dwfl_.get(); }
    Marker& marker() const { return marker_; }

private:
    struct Placed {
        Segment segment;
        std::uint32_t index = 0;
        std::uint64_t bias = 0;
        Dwfl_Module* module = nullptr;
    };
    void report(std::uint32_t index);
    Dwfl_Module* report_at(const MappedFile& file, std::uint64_t base);
    void open_all();

    const MappedFiles& files_;
    Marker& marker_;
    std::unique_ptr<Dwfl, decltype(&dwfl_end)> dwfl_{nullptr, &dwfl_end};
    std::vector<Placed> placed_;  // by address
};

}  // namespace mapaudit::symbols
