// SPDX-License-Identifier: Apache-2.0
#include "sources/usdt/usdt_registry.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace mapaudit::sources {
namespace {

constexpr std::uint32_t parts_limit = 4096;  // tables of one map whose figures are summed
constexpr std::uint32_t descs_at_once = 1024;
constexpr std::size_t block_head = offsetof(mapaudit_thread_block, records);

template <std::size_t N>
std::string text(const char (&field)[N]) {
    return std::string(field, ::strnlen(field, N));
}

// Copies entries [from, from + count) of a chunked array, zeroes where memory could not be read.
template <class Entry>
std::vector<Entry> read_chunked(const Process& process, const __u64 (&chunks)[MAPAUDIT_CHUNKS], std::uint32_t from,
                                std::uint32_t count, std::uint32_t first) {
    std::vector<Entry> entries(count);
    std::vector<RemoteRead> pieces;
    for (std::uint32_t done = 0; done < count;) {
        const std::uint32_t chunk = mapaudit_chunk_of(from + done, first);
        if (chunk >= MAPAUDIT_CHUNKS || chunks[chunk] == 0) break;
        const std::uint32_t within = from + done - mapaudit_chunk_start(chunk, first);
        const std::uint32_t length = std::min(mapaudit_chunk_size(chunk, first) - within, count - done);
        pieces.push_back({chunks[chunk] + within * sizeof(Entry), &entries[done], length * sizeof(Entry)});
        done += length;
    }
    process.read_many(pieces);
    return entries;
}

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t largest_gap = 256;  // between two figures that are read in one piece
constexpr std::size_t portion_bytes = 4u << 20;

// The figures of many maps, gathered into one list of remote reads. The tables of one map lie side by side: figures
// that are near one another in a page are one piece, for which the kernel looks its memory up once.
class FigureReads {
public:
    // Queues a map's figures; `sum` numbers them in the order of the calls.
    void add(const mapaudit_map_desc& desc) {
        for (const mapaudit_field& field : {desc.size, desc.buckets, desc.overflow, desc.grows})
            figures_.push_back({field, {}});
        std::array<Figure*, figures> wanted{};
        for (std::size_t i = 0; i < figures; ++i) wanted[i] = &figures_[figures_.size() - figures + i];
        std::ranges::sort(wanted, {}, [](const Figure* figure) { return figure->field.addr; });
        for (std::uint32_t part = 0; part < std::min(desc.parts, parts_limit); ++part)
            for (Figure* figure : wanted)
                if (is_readable(figure->field))
                    figure->offsets.push_back(queue(figure->field.addr + part * desc.stride, figure->field.width));
    }
    void read(const Process& process) {
        bytes_.assign(size_, 0);
        std::vector<RemoteRead> pieces;
        pieces.reserve(pieces_.size());
        for (const Piece& piece : pieces_) pieces.push_back({piece.from, &bytes_[piece.offset], piece.bytes});
        process.read_many(pieces);
    }
    // Over the map's tables; nothing where the map does not publish it.
    std::optional<std::uint64_t> sum(std::size_t figure) const {
        const auto& [field, offsets] = figures_[figure];
        if (offsets.empty()) return {};
        std::uint64_t total = 0;
        for (const std::size_t offset : offsets) {
            std::uint64_t value = 0;
            std::memcpy(&value, &bytes_[offset], field.width);
            total += field.log2 == 0 ? value : value < 63 ? std::uint64_t{1} << value : 0;
        }
        return total;
    }

    // What read() will take.
    std::size_t bytes() const { return size_; }

    static constexpr std::size_t figures = 4;  // of a map: size, buckets, overflow, grows

private:
    struct Figure {
        mapaudit_field field{};
        std::vector<std::size_t> offsets;  // in bytes_, one a table
    };
    struct Piece {
        std::uint64_t from;
        std::size_t offset, bytes;
    };

    static bool is_readable(const mapaudit_field& field) {
        return field.addr != 0 && (field.width == 1 || field.width == 2 || field.width == 4 || field.width == 8);
    }
    // Where in bytes_ it will be.
    std::size_t queue(std::uint64_t from, std::uint16_t width) {
        if (pieces_.empty() || !reaches(pieces_.back(), from, width)) pieces_.push_back({from, size_, 0});
        Piece& piece = pieces_.back();
        piece.bytes = from - piece.from + width;
        size_ = piece.offset + piece.bytes;
        return piece.offset + (from - piece.from);
    }
    static bool reaches(const Piece& piece, std::uint64_t from, std::uint16_t width) {
        const std::uint64_t end = piece.from + piece.bytes;
        return from >= end && from - end <= largest_gap && piece.from / page_bytes == (from + width - 1) / page_bytes;
    }

    std::vector<Figure> figures_;
    std::vector<Piece> pieces_;
    std::vector<char> bytes_;
    std::size_t size_ = 0;
};

std::vector<RegistryMap> with_figures(const Process& process, std::vector<mapaudit_map_desc> descs) {
    std::vector<RegistryMap> maps;
    while (maps.size() < descs.size()) {
        // In portions: how much lies between figures is the target's to say.
        FigureReads reads;
        const std::size_t first = maps.size();
        std::size_t end = first;
        while (end < descs.size() && reads.bytes() < portion_bytes) reads.add(descs[end++]);
        reads.read(process);
        for (std::size_t i = first; i < end; ++i) {
            const auto& d = descs[i];
            const std::size_t figure = (i - first) * FigureReads::figures;
            maps.push_back({d.id, text(d.kind), text(d.name), reads.sum(figure), reads.sum(figure + 1),
                            reads.sum(figure + 2), reads.sum(figure + 3), (d.flags & MAPAUDIT_MAP_CHECKED) != 0});
        }
    }
    return maps;
}

}  // namespace

Result<bool> RegistryReader::refresh() {
    mapaudit_registry head;
    if (!process_->read(address_, &head, sizeof head) || head.magic != MAPAUDIT_REGISTRY_MAGIC) return false;
    if (head.version != MAPAUDIT_ABI_VERSION || head.record_size != sizeof(mapaudit_record) ||
        head.block_size != sizeof(mapaudit_thread_block) || head.desc_size != sizeof(mapaudit_map_desc))
        return Error::of(Failure::no_target,
                         "process " + std::to_string(process_->pid()) + " was built with version " +
                             std::to_string(head.version) + " of the probes, this auditor reads version " +
                             std::to_string(MAPAUDIT_ABI_VERSION),
                         "rebuild one of the two");
    head_ = head;
    return true;
}

std::vector<RegistryMap> RegistryReader::maps(std::size_t limit) const {
    // Descriptors ever used may be far more than the maps alive: read in portions, keep the living.
    std::vector<mapaudit_map_desc> living;
    const auto end =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(head_.descs, std::max<std::uint64_t>(4 * limit, 4096)));
    for (std::uint32_t from = 0; from < end && living.size() < limit; from += descs_at_once) {
        const std::uint32_t count = std::min(descs_at_once, end - from);
        for (const auto& desc :
             read_chunked<mapaudit_map_desc>(*process_, head_.desc_chunks, from, count, MAPAUDIT_DESC_CHUNK))
            if (desc.id != 0 && living.size() < limit) living.push_back(desc);
    }
    return with_figures(*process_, std::move(living));
}

std::vector<RegistryBlock> RegistryReader::blocks(std::size_t limit) const {
    const auto count = static_cast<std::uint32_t>(std::min<std::size_t>(head_.blocks, limit));
    std::vector<RegistryBlock> blocks;
    std::vector<char> heads(count * block_head);
    std::vector<RemoteRead> pieces;
    for (std::uint32_t i = 0; i < count; ++i) {
        const std::uint32_t chunk = mapaudit_chunk_of(i, MAPAUDIT_BLOCK_CHUNK);
        if (chunk >= MAPAUDIT_CHUNKS || head_.block_chunks[chunk] == 0) break;
        const std::uint64_t at =
            head_.block_chunks[chunk] +
            std::uint64_t{i - mapaudit_chunk_start(chunk, MAPAUDIT_BLOCK_CHUNK)} * sizeof(mapaudit_thread_block);
        pieces.push_back({at, &heads[i * block_head], block_head});
    }
    process_->read_many(pieces);
    for (std::uint32_t i = 0; i < pieces.size(); ++i) {
        alignas(8) char head[block_head];
        std::memcpy(head, &heads[i * block_head], block_head);
        const auto* block = reinterpret_cast<const mapaudit_thread_block*>(head);
        blocks.push_back({pieces[i].from, i, block->tid, block->cpu, block->epoch, block->seq, block->flushed,
                          block->counting != 0});
    }
    return blocks;
}

std::vector<mapaudit_record> RegistryReader::records(const RegistryBlock& block, std::uint64_t from) const {
    if (from >= block.seq || block.seq - from > MAPAUDIT_RING) return {};
    std::vector<mapaudit_record> records(block.seq - from);
    const std::uint64_t ring = block.address + offsetof(mapaudit_thread_block, records);
    const std::size_t start = from % MAPAUDIT_RING;
    const std::size_t head = std::min(records.size(), MAPAUDIT_RING - start);
    std::vector<RemoteRead> pieces{
        {ring + start * sizeof(mapaudit_record), records.data(), head * sizeof(mapaudit_record)}};
    if (head < records.size())
        pieces.push_back({ring, &records[head], (records.size() - head) * sizeof(mapaudit_record)});
    if (process_->read_many(pieces) != pieces.size()) return {};
    return records;
}

std::optional<BlockCounters> RegistryReader::counters(const RegistryBlock& block) const {
    if (!block.counting || block.epoch % 2 != 0) return {};
    std::vector<mapaudit_counter> all(MAPAUDIT_COUNTERS);
    alignas(8) char head[block_head];
    if (!process_->read(block.address + offsetof(mapaudit_thread_block, counters), all.data(),
                        all.size() * sizeof all[0]) ||
        !process_->read(block.address, head, sizeof head))
        return {};
    const auto* after = reinterpret_cast<const mapaudit_thread_block*>(head);
    if (after->epoch != block.epoch || after->seq != block.seq) return {};
    std::erase_if(all, [](const mapaudit_counter& c) { return c.map == 0; });
    return BlockCounters{std::move(all)};
}

RegistryMap describe_map(const Process& process, const mapaudit_map_desc& desc) {
    return std::move(with_figures(process, {desc}).front());
}

}  // namespace mapaudit::sources
