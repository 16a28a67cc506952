// SPDX-License-Identifier: MIT
#include "server/net/request_trace.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "test/support/catch.h"

namespace featherid {

TEST_CASE("a valid traceparent gives its trace-id", "[request_trace]") {
  const std::string trace_id = "0af7651916cd43dd8448eb211c80319c";
  CHECK(trace_id_of("00-" + trace_id + "-b7ad6b7169203331-01") == trace_id);
  CHECK(trace_id_of("cc-" + trace_id + "-b7ad6b7169203331-01") == trace_id);
  CHECK(trace_id_of("cc-" + trace_id + "-b7ad6b7169203331-01-what-may-come") == trace_id);
}

TEST_CASE("a traceparent that is not valid gives none", "[request_trace]") {
  const auto text = GENERATE(values<std::string>({
      "", "00",
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0",     // too short
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",  // version 00 ends here
      "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",   // no dash
      "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",    // forbidden version
      "0x-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",    //
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",    // zero
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",    // zero
      "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",    // upper case
      "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",    //
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b716920333g-01",    //
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",    //
      "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",    //
      "00-0af7651916cd43dd8448eb211c80319c_b7ad6b7169203331-01",    //
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331_01",    //
  }));
  CAPTURE(text);
  CHECK(trace_id_of(text).empty());
}

TEST_CASE("a request's number is written with 16 digits", "[request_trace]") {
  CHECK(request_id(0) == "0000000000000000");
  CHECK(request_id(0x0123456789abcdef) == "0123456789abcdef");
  CHECK(log_tag(255, "nonsense") == "request=00000000000000ff");
  CHECK(log_tag(255, "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01") ==
        "request=00000000000000ff trace=0af7651916cd43dd8448eb211c80319c");
  CHECK(random_request_number() != random_request_number());
}

TEST_CASE("only the query parameters of the id routes are logged", "[request_trace]") {
  const std::pair<const char*, const char*> cases[] = {
      {"/healthz", "/healthz"},
      {"/healthz?", "/healthz"},
      {"/a?biz_tag=x&count=3&as=string", "/a?biz_tag=x&count=3&as=string"},
      {"/a?token=secret", "/a"},
      {"/a?token=secret&biz_tag=x&key=secret&count=1&secret", "/a?biz_tag=x&count=1"},
      {"/a?secret&&biz_tag=%0A&", "/a?biz_tag=%0A"},
      {"/a?x-biz_tag=secret?biz_tag=secret", "/a"},
  };
  for (const auto& [target, logged] : cases) {
    const std::string_view whole = target;
    const std::size_t question = std::min(whole.find('?'), whole.size());
    const std::string_view query = whole.substr(std::min(question + 1, whole.size()));
    CHECK(logged_target(whole.substr(0, question), query) == logged);
  }
}

}  // namespace featherid
