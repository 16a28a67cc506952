// SPDX-License-Identifier: MIT
#include "lib/store/etcd/etcd_url.h"

#include <string>

#include "featherid/etcd_store.h"
#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a URL of etcd has members and a prefix", "[etcd_url]") {
  const EtcdUrl url = *parse_etcd_url("etcd://a:2379,b,[::1]:23,[::1]/featherid");
  REQUIRE(url.members.size() == 4);
  CHECK(url.members[0].url == "http://a:2379");
  CHECK(url.members[1].url == "http://b:2379");
  CHECK(url.members[2].url == "http://[::1]:23");
  CHECK(url.members[3].url == "http://[::1]:2379");
  CHECK(url.prefix == "/featherid");
  CHECK(cluster_key(url) == "/featherid/cluster");
  CHECK(store_key(url) == "/featherid/store");
  CHECK(tags_key(url) == "/featherid/tags/");
  CHECK(parse_etcd_url("etcd://a/apps/ids//")->prefix == "/apps/ids");
  CHECK(parse_etcd_url("etcd://a/tags-of/mytags")->prefix == "/tags-of/mytags");
  CHECK(parse_etcd_url("etcds://a/x")->members[0].url == "https://a:2379");
}

TEST_CASE("login and options of a URL are decoded", "[etcd_url]") {
  const EtcdUrl url =
      *parse_etcd_url("etcds://us%40er:p%2Fw%3A@a,b/i%20ds?ca=/etc/c%26a.pem&cert=c&key=k");
  CHECK(url.user == "us@er");
  CHECK(url.password == "p/w:");
  CHECK(url.prefix == "/i ds");
  CHECK(url.ca == "/etc/c&a.pem");
  CHECK(url.cert == "c");
  CHECK(url.key == "k");
  CHECK(url.place == "a,b/i%20ds?ca=/etc/c%26a.pem&cert=c&key=k");
  const EtcdUrl other = *parse_etcd_url("etcd://u@a/x?password-file=/run/p");
  CHECK(other.user == "u");
  CHECK(other.password_file == "/run/p");
}

TEST_CASE("a malformed URL of etcd is refused without quoting it", "[etcd_url]") {
  for (const char* const text : {"etcd:s3cret",
                                 "http://a/s3cret",
                                 "etcd://",
                                 "etcd:///s3cret",
                                 "etcd://a",
                                 "etcd://a/",
                                 "etcd://a//s3cret",
                                 "etcd://a/s3cret//x",
                                 "etcd://a/s3cret/%2Fx",
                                 "etcd://a/s3cret/tags",
                                 "etcd://a/tags/s3cret",
                                 "etcd://a:0/s3cret",
                                 "etcd://a:70000/s3cret",
                                 "etcd://s3cret:a:b/x",
                                 "etcd://a,,b/s3cret",
                                 "etcd://a/s3cret%2",
                                 "etcd://a/s3cret%0A",
                                 "etcd://u:s3cret%@a/x",
                                 "etcd://:s3cret@a/x",
                                 "etcd://u:s3cret@a/x?password-file=f",
                                 "etcd://a/x?s3cret=1",
                                 "etcds://a/x?ca",
                                 "etcds://a/x?ca=",
                                 "etcds://a/x?ca=b&ca=s3cret",
                                 "etcd://a/x?ca=s3cret",
                                 "etcds://a/x?cert=s3cret",
                                 "etcd://u:pa/s3cret@a/x?y",
                                 "etcd://a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q/x"}) {
    CAPTURE(text);
    const Status status = parse_etcd_url(text).status();
    CHECK(status.code() == StatusCode::kInvalidArgument);
    CHECK(status.message().find("s3cret") == std::string::npos);
  }
}

TEST_CASE("a URL of etcd is shown without its password", "[etcd_url]") {
  CHECK(redact_etcd_url("etcd://a,b/x") == "etcd://a,b/x");
  CHECK(redact_etcd_url("etcd://u:s3cret@a,b/x?password-file=f") ==
        "etcd://u:***@a,b/x?password-file=f");
  CHECK(redact_etcd_url("etcd://u@a:1/x") == "etcd://u@a:1/x");
  for (const char* const text :
       {"etcd://u:s3/cret@a/x", "etcd://u:s3@cret@a", "s3cret", "etcd:s3cret"}) {
    CHECK(redact_etcd_url(text).find("cret@") == std::string::npos);
    CHECK(redact_etcd_url(text).find("s3") == std::string::npos);
  }
}

}  // namespace featherid
