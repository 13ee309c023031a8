// SPDX-License-Identifier: Apache-2.0
#include "model/function_name.hpp"

#include <gtest/gtest.h>

namespace mapaudit::model {
namespace {

TEST(BriefFunction, plain_names_stay) {
    EXPECT_EQ(brief_function("main"), "main");
    EXPECT_EQ(brief_function("clone3"), "clone3");
    EXPECT_EQ(brief_function(""), "");
}

TEST(BriefFunction, parameters_return_types_and_qualifiers_go) {
    EXPECT_EQ(brief_function("ns::f(int, char const*)"), "ns::f");
    EXPECT_EQ(brief_function("bool ns::table<int, std::less<int> >::find(int const&) const"), "ns::table<>::find");
    EXPECT_EQ(brief_function("void f<void (*)(int)>(void (*)(int))"), "f<>");
    EXPECT_EQ(brief_function("decltype(auto) mapaudit::audit<(mapaudit::op)0, x>(y)"), "mapaudit::audit<>");
    EXPECT_EQ(
        brief_function("unsigned long const& std::max<unsigned long>(unsigned long const&, unsigned long const&)"),
        "std::max<>");
}

TEST(BriefFunction, operators_keep_their_brackets) {
    EXPECT_EQ(brief_function("ns::less::operator()(int, int) const"), "ns::less::operator()");
    EXPECT_EQ(brief_function("bool operator< <int>(a<int> const&, a<int> const&)"), "operator<<>");
    EXPECT_EQ(brief_function("std::ostream& operator<<(std::ostream&, x)"), "operator<<");
    EXPECT_EQ(brief_function("x::operator->() const"), "x::operator->");
    EXPECT_EQ(brief_function("x::operator bool() const"), "x::operator bool");
}

TEST(BriefFunction, lambdas_and_local_names) {
    EXPECT_EQ(brief_function("main::{lambda(int)#1}::operator()(int) const"), "main::{lambda#1}::operator()");
    EXPECT_EQ(brief_function("(anonymous namespace)::work(int)"), "(anonymous namespace)::work");
    EXPECT_EQ(brief_function("void (anonymous namespace)::work<int>(int)"), "(anonymous namespace)::work<>");
}

TEST(BriefFunction, what_does_not_close_stays_whole) {
    EXPECT_EQ(brief_function("f<int"), "f<int");
    EXPECT_EQ(brief_function("void cut<std::vector<int…"), "cut<>") << "what was cut for its length is closed";
}

}  // namespace
}  // namespace mapaudit::model
