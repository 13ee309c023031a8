// SPDX-License-Identifier: Apache-2.0
//
// A map of the kind that the command line names, from key to item.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "item.hpp"

namespace kvd {

// Thread safety: any number of threads may call anything at any time. find, upsert, update and erase_if are one audited
// operation of the map each (lookup, assign, assign, erase) and linearizable; the others are not audited.
//
// What they are given to call must not call the table, and may be called again, with another item: what it returned or
// wrote down last is what counts.
class Table {
public:
    // May put an item in the place of the one that is there; returns whether it did.
    using Change = std::function<bool(ItemPtr&)>;

    virtual ~Table() = default;

    virtual ItemPtr find(const std::string& key) const = 0;  // null when there is none
    // Changes the item that is there, or null, where there is none: what that becomes is inserted.
    virtual void upsert(const std::string& key, const Change& change) = 0;
    // Changes the item that is there; false when there is none.
    virtual bool update(const std::string& key, const Change& change) = 0;
    // Erases the item that is there if `goes` says so; true when it did.
    virtual bool erase_if(const std::string& key, const std::function<bool(const Item&)>& goes) = 0;

    // The callback must not call the table: some kinds hold their lock meanwhile.
    virtual void for_each(const std::function<void(const std::string&, const Item&)>& on_item) const = 0;
    virtual std::size_t size() const = 0;
    virtual std::size_t buckets() const = 0;
    virtual std::uint64_t grows() const = 0;
    // Destroys items that were replaced or removed and that a kind without locks for readers still keeps.
    virtual void reclaim() = 0;
};

// In the order that --list names them.
std::vector<std::string_view> table_kinds();

// Null when there is no such kind. `name` is the map's under the auditor.
std::unique_ptr<Table> make_table(std::string_view kind, const std::string& name);

}  // namespace kvd
