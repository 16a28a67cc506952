// SPDX-License-Identifier: MIT
#include "server/console/tag_watch.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "lib/base/exception_text.h"
#include "server/ops/low_priority.h"

namespace featherid {

namespace {

std::string all_tags_json(const std::vector<TagStats>& tags, IdsAs as) {
  const auto now = std::chrono::system_clock::now();
  std::string json = "[";
  for (const TagStats& tag : tags) {
    if (json.size() > 1) json += ',';
    json += tag_json(tag, as, now);
  }
  return json + ']';
}

}  // namespace

const TagStats* TagWatch::View::find(const std::string& tag) const {
  const auto found = std::lower_bound(
      tags.begin(), tags.end(), tag,
      [](const TagStats& each, const std::string& name) { return each.tag < name; });
  return found != tags.end() && found->tag == tag ? &*found : nullptr;
}

TagWatch::TagWatch(const SegmentAllocator& allocator, std::size_t tags_max)
    : allocator_(allocator), samples_(tags_max), thread_([this] { run(); }) {}

TagWatch::~TagWatch() { stop(); }

void TagWatch::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
    askers_.clear();
    view_.reset();
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

std::shared_ptr<const TagWatch::View> TagWatch::fresh(bool json, IdsAs as) const {
  const MutexLock lock(mutex_);
  if (!view_ || std::chrono::steady_clock::now() - view_->at >= kFresh) return nullptr;
  return json && view_->json_of(as).empty() ? nullptr : view_;
}

bool TagWatch::ask(Asker asker) {
  const MutexLock lock(mutex_);
  if (stopping_ || askers_.size() >= kAskersMax) return false;
  askers_.push_back(std::move(asker));
  changed_.notify_one();
  return true;
}

void TagWatch::run() {
  run_at_low_priority();
  TimePoint sample_at = std::chrono::steady_clock::now() + Samples::kEvery;
  for (;;) {
    std::vector<Asker> askers;
    {
      const MutexLock lock(mutex_);
      while (!stopping_ && askers_.empty() && changed_.wait_until(mutex_, sample_at)) {
      }
      if (stopping_) return;
      askers.swap(askers_);
    }
    try {
      if (!askers.empty()) serve(askers);
      if (std::chrono::steady_clock::now() >= sample_at) {
        sample();
        sample_at = std::max(sample_at + Samples::kEvery, std::chrono::steady_clock::now());
      }
    } catch (const std::exception& error) {  // no memory; who waits is answered by its own deadline
      spdlog::error("the console has no figures: {}", text_of(error));
    }
  }
}

void TagWatch::sample() {
  samples_.add(allocator_.stats(), allocator_.lease_latency(), std::chrono::steady_clock::now());
  const MutexLock lock(mutex_);
  // Frees its memory if nobody looks any more.
  if (view_ && std::chrono::steady_clock::now() - view_->at >= Samples::kEvery) view_.reset();
}

void TagWatch::serve(const std::vector<Asker>& askers) {
  auto view = std::make_shared<View>();
  view->at = std::chrono::steady_clock::now();
  view->tags = allocator_.stats();
  std::sort(view->tags.begin(), view->tags.end(),
            [](const TagStats& a, const TagStats& b) { return a.tag < b.tag; });
  view->totals = total(view->tags);
  for (const Asker& asker : askers) {
    std::string& json = view->json_of(asker.as);
    if (asker.json && json.empty()) json = all_tags_json(view->tags, asker.as);
  }
  {
    const MutexLock lock(mutex_);
    if (stopping_) return;
    view_ = std::move(view);
  }
  for (const Asker& asker : askers) asker.done();
}

}  // namespace featherid
