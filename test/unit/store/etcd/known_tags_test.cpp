// SPDX-License-Identifier: MIT
#include "lib/store/etcd/known_tags.h"

#include "test/support/catch.h"

namespace featherid {

namespace {

KnownTag order_at(std::int64_t revision) {
  KnownTag tag;
  tag.stored.tag = "order";
  tag.revision = revision;
  return tag;
}

}  // namespace

TEST_CASE("a tag is known as it was read last", "[known_tags]") {
  KnownTags known;
  CHECK_FALSE(known.find("order"));
  CHECK(known.revision("order") == 0);
  known.learn(order_at(5));
  known.learn(order_at(4));  // an answer that was overtaken
  CHECK(known.find("order")->revision == 5);
  known.learn(order_at(0));  // it was deleted
  CHECK_FALSE(known.find("order"));
}

TEST_CASE("after an error a tag must be read, and its revision stays known", "[known_tags]") {
  KnownTags known;
  known.doubt("order");
  known.learn(order_at(5));
  known.doubt("order");
  CHECK_FALSE(known.find("order"));
  CHECK(known.revision("order") == 5);
  known.learn(order_at(5));
  CHECK(known.find("order")->revision == 5);
}

}  // namespace featherid
