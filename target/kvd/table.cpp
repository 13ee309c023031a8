// SPDX-License-Identifier: Apache-2.0
#include "table.hpp"

#include <algorithm>
#include <array>

#include <mapaudit/cache_map.hpp>
#include <mapaudit/mutex_map.hpp>
#include <mapaudit/operation_map.hpp>
#include <mapaudit/rwlock_map.hpp>
#include <mapaudit/sharded_map.hpp>
#include <mapaudit/snapshot_map.hpp>
#include <mapaudit/sync_map.hpp>
#include <mapaudit/tophash_map.hpp>

namespace kvd {
namespace {

template <class Map>
class TableOf final : public Table {
    static_assert(Map::concurrent, "every thread of the server uses the one map");

public:
    explicit TableOf(const std::string& name) : map_(name) {}

    ItemPtr find(const std::string& key) const override { return map_.lookup(key).value_or(nullptr); }
    void upsert(const std::string& key, const Change& change) override { map_.upsert(key, nullptr, change); }
    bool update(const std::string& key, const Change& change) override { return map_.update(key, change); }
    bool erase_if(const std::string& key, const std::function<bool(const Item&)>& goes) override {
        return map_.erase_if(key, [&goes](const ItemPtr& item) { return goes(*item); });
    }
    void for_each(const std::function<void(const std::string&, const Item&)>& on_item) const override {
        map_.for_each([&](const std::string& key, const ItemPtr& item) { on_item(key, *item); });
    }
    std::size_t size() const override { return map_.size(); }
    std::size_t buckets() const override { return map_.bucket_count(); }
    std::uint64_t grows() const override { return map_.grows(); }
    void reclaim() override {
        if constexpr (requires { map_.reclaim(); }) map_.reclaim();
    }

private:
    Map map_;
};

struct Kind {
    std::string_view name;
    std::unique_ptr<Table> (*make)(const std::string& name);
};

template <template <class...> class Map>
constexpr Kind kind() {
    using Items = Map<std::string, ItemPtr>;
    return {Items::kind,
            [](const std::string& name) -> std::unique_ptr<Table> { return std::make_unique<TableOf<Items>>(name); }};
}

// Not here: go_map, which is for one thread, and cas_map, whose values must be trivially copyable.
constexpr std::array kinds{
    kind<mapaudit::mutex_map>(), kind<mapaudit::rwlock_map>(),    kind<mapaudit::sharded_map>(),
    kind<mapaudit::sync_map>(),  kind<mapaudit::snapshot_map>(),  kind<mapaudit::tophash_map>(),
    kind<mapaudit::cache_map>(), kind<mapaudit::operation_map>(),
};

}  // namespace

std::vector<std::string_view> table_kinds() {
    std::vector<std::string_view> names;
    for (const Kind& k : kinds) names.push_back(k.name);
    return names;
}

std::unique_ptr<Table> make_table(std::string_view kind, const std::string& name) {
    const auto found = std::ranges::find(kinds, kind, &Kind::name);
    return found == kinds.end() ? nullptr : found->make(name);
}

}  // namespace kvd
