// SPDX-License-Identifier: Apache-2.0
#include "sources/go_source.hpp"

#include <algorithm>
#include <string_view>

#include "model/evidence.hpp"

namespace mapaudit::sources {
namespace {

constexpr std::uint32_t usual_maps = 1024;
// A process may have registries of the usdt source, too: theirs are numbered below this.
constexpr std::uint32_t go_domain = WIRE_MAX_DOMAINS;

std::uint64_t losses(const wire_go_ledger& ledger) {
    std::uint64_t sum = 0;
    for (const std::uint64_t lost : ledger.lost) sum += lost;
    return sum;
}

// From the map's operation outwards. Where the probed function begins with a push of rbp, and from Linux 6.11 on, the
// kernel lists its return address as well, and the one of a function between.
std::span<const __u64> from_operation(const wire_go_fatal& fatal) {
    const std::span<const __u64> frames(fatal.frames);
    const auto inner = frames.first(4);
    const auto found = std::find(inner.begin(), inner.end(), fatal.inside);
    return fatal.inside == 0 || found == inner.end() ? frames
                                                     : frames.subspan(static_cast<std::size_t>(found - inner.begin()));
}

}  // namespace

// What happened to one map, or to those that share a row, from one caller.
struct GoSource::Growth {
    std::uint32_t process = 0, id = 0;
    std::uint64_t caller = 0;
    std::uint64_t doublings = 0, same_size = 0, buckets_added = 0;
    std::uint64_t first_ns = 0, last_ns = 0;
};

Result<std::unique_ptr<GoSource>> GoSource::attach(std::vector<std::unique_ptr<GoProcess>> processes, GoOptions options,
                                                   UprobeMechanism mechanism) {
    std::unique_ptr<GoSource> source(new GoSource(std::move(options)));
    const std::uint32_t most = source->options_.max_maps != 0 ? source->options_.max_maps : usual_maps;
    auto programs = GoPrograms::load(source->options_.sizes, mechanism);
    if (!programs) return programs.error();
    source->programs_ = std::move(*programs);
    for (auto& process : processes) source->targets_.push_back({std::move(process), GoMaps(most)});
    for (std::uint32_t i = 0; i < source->targets_.size(); ++i) {
        const GoProcess& process = *source->targets_[i].process;
        const auto sites = process.sites(i);
        if (sites.empty()) continue;
        auto link = UprobeLink::attach(mechanism, source->programs_->program_fd(), process.attach_path(),
                                       process.process().pid(), sites);
        if (!link) return link.error();
        source->links_.push_back(std::move(*link));
    }
    return source;
}

model::MapKey GoSource::key_of(std::uint32_t process, std::uint32_t id) const {
    return {targets_[process].process->process().pid(), go_domain, id};
}

void GoSource::add(const Growth& growth, model::Book& book) {
    const model::MapKey key = key_of(growth.process, growth.id);
    if (growth.id == model::other_maps && book.find(key) == nullptr) {
        model::MapInfo others;
        others.source = name();
        others.name = "(other)";
        book.describe(key, others);
    }
    model::Counts counts;
    counts.calls = counts.grows = growth.doublings + growth.same_size;
    counts.buckets_grown = static_cast<std::int64_t>(growth.buckets_added);
    book.add({key, MAPAUDIT_OP_GROW, UINT32_MAX, 0}, counts);
    taken_ += counts.calls;
    const GoPlace place{growth.process, growth.id, growth.caller};
    evidence_.grew(place, MAPAUDIT_GROW_LOAD, {growth.doublings, growth.first_ns, growth.last_ns});
    evidence_.grew(place, MAPAUDIT_GROW_OVERFLOW, {growth.same_size, growth.first_ns, growth.last_ns});
}

// Rows of one map by several callers are one sighting: whose growth came between whose, they do not say.
void GoSource::take_growths(model::Book& book) {
    const auto rows = programs_->take_growths();
    std::map<std::tuple<std::uint32_t, std::uint64_t, std::uint32_t>, std::size_t> places;
    struct Group {
        GoSighting sighting;
        std::uint64_t last_ns = 0;
        std::vector<const GoGrowth*> rows;
    };
    std::vector<Group> groups;
    for (const GoGrowth& row : rows) {
        if (row.key.process >= targets_.size()) continue;
        const auto [place, made] = places.try_emplace({row.key.process, row.key.map, row.key.seed}, groups.size());
        if (made)
            groups.push_back({{row.key.map, row.value.type, row.key.caller, row.key.seed, row.value.first_log2,
                               row.value.last_log2, row.value.size, 0},
                              row.value.last_ns,
                              {}});
        Group& group = groups[place->second];
        GoSighting& sighting = group.sighting;
        sighting.added += row.value.buckets_added;
        sighting.log2_before = std::min(sighting.log2_before, row.value.first_log2);
        sighting.log2_after = std::max(sighting.log2_after, row.value.last_log2);
        if (row.value.last_ns >= group.last_ns) sighting.size = row.value.size;
        group.last_ns = std::max<std::uint64_t>(group.last_ns, row.value.last_ns);
        group.rows.push_back(&row);
    }
    for (const Group& group : groups) {
        const std::uint32_t process = group.rows.front()->key.process;
        const std::uint32_t id = targets_[process].maps.meet(group.sighting);
        for (const GoGrowth* row : group.rows)
            add({process, id, row->key.caller, row->value.doublings, row->value.same_size, row->value.buckets_added,
                 row->value.first_ns, row->value.last_ns},
                book);
    }
}

// Growths of maps without a row of their own, since the last look.
void GoSource::take_spills(model::Book& book) {
    programs_->read_spills([&](const wire_go_site_key& key, const wire_go_spill& spill) {
        if (key.process >= targets_.size()) return;
        wire_go_spill& before = spills_[{key.process, key.caller}];
        Growth growth{key.process,
                      0,
                      key.caller,
                      spill.doublings - before.doublings,
                      spill.same_size - before.same_size,
                      spill.buckets_added - before.buckets_added,
                      spill.first_ns,
                      spill.last_ns};
        before = spill;
        if (growth.doublings + growth.same_size == 0) return;
        GoSighting sighting;
        sighting.type = spill.type;
        sighting.caller = key.caller;
        growth.id = targets_[key.process].maps.meet(sighting);
        add(growth, book);
    });
}

void GoSource::take_fatal(const wire_go_fatal& fatal, model::Book& book) {
    if (fatal.process >= targets_.size()) return;
    ++taken_;
    GoProcess& process = *targets_[fatal.process].process;
    const std::string_view message(fatal.message, std::min<std::size_t>(fatal.length, sizeof fatal.message));
    const auto kind = conflict_of(message);
    if (!kind) {
        if (options_.on_note)
            options_.on_note("process " + std::to_string(process.process().pid()) + " ends with a fatal error: " +
                             std::string(message) + " (goroutine " + std::to_string(fatal.goid) + ")");
        return;
    }
    GoSighting sighting;
    sighting.map = fatal.map;
    sighting.type = fatal.type;
    const auto frames = from_operation(fatal);
    sighting.caller = frames[1];
    sighting.seed = fatal.head.seed;
    sighting.log2_before = sighting.log2_after = fatal.head.log2_buckets;
    sighting.size = fatal.head.count;
    const std::uint32_t id = targets_[fatal.process].maps.meet(sighting);
    // Of operations nothing is known here, of growths all: a row of growths is true with none in it.
    model::Counts counts;
    counts.conflicts = 1;
    book.add({key_of(fatal.process, id), MAPAUDIT_OP_GROW, UINT32_MAX, 0}, counts);
    model::Evidence row;
    row.kind = model::EvidenceKind::racing;
    row.pid = process.process().pid();
    row.domain = go_domain;
    row.map_id = id;
    row.detail = *kind;
    row.tid = static_cast<std::uint32_t>(fatal.goid);
    row.count = 1;
    row.first_ns = row.last_ns = fatal.time_ns;
    row.stack = process.stack(frames);
    if (fatal.inside != 0) row.stack.frames.insert(row.stack.frames.begin(), process.frame(fatal.inside));
    row.other_stack.cut = "not known: of a Go program's operations only growth and fatal errors are watched";
    evidence_.raced(std::move(row));
}

void GoSource::look_at_maps() {
    for (Target& target : targets_) {
        if (!target.process->process().alive()) continue;  // its last figures stay
        const auto living = target.maps.living();
        std::vector<std::uint64_t> addresses;
        for (const GoMap* map : living) addresses.push_back(map->address);
        const auto heads = read_map_heads(target.process->process(), target.process->binary().design(), addresses);
        for (std::size_t i = 0; i < heads.size(); ++i) target.maps.look(*living[i], heads[i]);
    }
}

model::Stack GoSource::stack_of(std::uint32_t process, std::uint64_t caller) {
    const auto site = programs_->site({caller, process, 0});
    if (site) return targets_[process].process->stack(site->frames);
    model::Stack stack;
    if (caller != 0) stack.frames.push_back(targets_[process].process->frame(caller));
    stack.cut = "more places that grow maps than are kept";
    return stack;
}

// "map[string]*http.Conn main.go:42 main.serve": its type, and where it was first met.
std::string GoSource::name_of(std::uint32_t process, const GoMap& map) {
    std::string text = targets_[process].process->type_name(map.type);
    if (text.empty()) text = "map";
    const model::Stack stack = stack_of(process, map.caller);
    const model::Frame* frame = model::caller_of(stack);
    if (frame == nullptr && !stack.frames.empty()) frame = &stack.frames.front();
    if (frame != nullptr) text += ' ' + go_place(*frame);
    return map.shared ? text + " (several)" : text;
}

void GoSource::describe_changed(model::Book& book) {
    for (std::uint32_t i = 0; i < targets_.size(); ++i) {
        Target& target = targets_[i];
        for (const GoMap* map : target.maps.changed()) {
            const model::MapKey key = key_of(i, map->id);
            const model::MapInfo* known = book.find(key);
            model::MapInfo info = known != nullptr ? *known : model::MapInfo{};
            if (known == nullptr) {
                info.source = name();
                info.name = name_of(i, *map);
                info.kind = target.process->binary().design() == GoMapDesign::classic ? "go classic" : "go swiss";
            }
            if (!map->shared) {
                info.size = map->size;
                info.buckets = map->buckets;
            }
            info.alive = map->alive;
            book.describe(key, info);
        }
    }
}

void GoSource::collect(model::Book& book) {
    take_growths(book);
    take_spills(book);
    programs_->drain([&](const wire_go_fatal& fatal) { take_fatal(fatal, book); });
    look_at_maps();
    describe_changed(book);
    ledger_ = programs_->ledger();
    const std::uint64_t lost = losses(ledger_);
    if (lost != lost_told_)
        book.add_lost(targets_.front().process->process().pid(), std::string(name()), lost - lost_told_);
    lost_told_ = lost;
}

void GoSource::detach(model::Book& book) {
    links_.clear();
    collect(book);
    attached_ = false;
}

// While hits go on, those that are on their way are not yet fired: their rows come with the next collection.
model::Ledger GoSource::ledger() const {
    model::Ledger ledger;
    ledger.handled = taken_;
    ledger.fired = attached_ ? taken_ + losses(ledger_) : ledger_.fired;
    const auto lost = [&](const char* cause, wire_go_loss which) {
        if (ledger_.lost[which] != 0) ledger.lost.push_back({cause, ledger_.lost[which]});
    };
    lost("unreadable memory: there was no map where one was to grow", WIRE_GO_LOST_UNREADABLE);
    lost("table of growths full: more maps grew within an interval, from more places, than it holds",
         WIRE_GO_LOST_TABLES);
    lost("event ring full", WIRE_GO_LOST_RING);
    ledger.evidence_dropped = evidence_.dropped();
    return ledger;
}

model::Activity GoSource::activity() const {
    model::Activity activity;
    activity.events = ledger_.hits;
    if (ledger_.timed_hits != 0)
        activity.program_ns =
            static_cast<double>(ledger_.timed_ns) *
            std::max(1.0, static_cast<double>(ledger_.hits) / static_cast<double>(ledger_.timed_hits));
    return activity;
}

std::vector<model::Evidence> GoSource::evidence() {
    return evidence_.rows([&](const GoPlace& place, model::Evidence& row) {
        row.pid = targets_[place.process].process->process().pid();
        row.domain = go_domain;
        row.stack = stack_of(place.process, place.caller);
    });
}

}  // namespace mapaudit::sources
