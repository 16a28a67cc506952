// SPDX-License-Identifier: MIT
#include "test/bench/peer_report.h"

#include <fstream>
#include <functional>
#include <ostream>
#include <stdexcept>
#include <string>

#include "test/bench/figures.h"
#include "test/bench/plot.h"

namespace featherid::bench {

namespace {

constexpr std::pair<const char*, double> kQuantiles[] = {
    {"p50", 0.5}, {"p99", 0.99}, {"p99.99", 0.9999}};

double quantile_us(const CrewReport& load, double share) {
  return load.latencies.quantile_ns(share) / 1e3;
}
double cost_ns(const CrewReport& load) { return 1e9 / load.per_second(); }

const CrewReport* find_load(const PeerResults& results, const std::string& peer, int clients) {
  const auto found = results.loads.find({peer, clients});
  return found == results.loads.end() ? nullptr : &found->second;
}

// --- tables ---

class Table {
 public:
  Table(std::ostream& out, const std::vector<std::string>& columns) : out_(out) {
    row(columns);
    out_ << "| ---";
    for (std::size_t i = 1; i < columns.size(); ++i) out_ << " | ---:";
    out_ << " |\n";
  }
  ~Table() { out_ << '\n'; }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  void row(const std::vector<std::string>& cells) {
    for (const std::string& cell : cells) out_ << "| " << cell << (cell.empty() ? "" : " ");
    out_ << "|\n";
  }

 private:
  std::ostream& out_;
};

// A row for each peer, and a cell for each number of clients.
template <typename Counts, typename Cell>
void write_loads(std::ostream& out, const PeerResults& results, const std::string& title,
                 const Counts& counts, Cell cell) {
  std::vector<std::string> columns = {title};
  for (const int clients : counts) columns.push_back(std::to_string(clients));
  Table table(out, columns);
  for (const auto& [name, what] : results.peers) {
    std::vector<std::string> cells = {what};
    for (const int clients : counts) {
      const CrewReport* const load = find_load(results, name, clients);
      cells.push_back(load == nullptr ? "" : cell(*load));
    }
    table.row(cells);
  }
}

void write_load_tables(std::ostream& out, const PeerResults& results) {
  write_loads(out, results, "ids/s, by clients", kClientCounts,
              [](const CrewReport& load) { return short_number(load.per_second()); });
  write_loads(out, results, "µs until an id comes, p50 / p99 / p99.99, by clients", kClientCounts,
              [](const CrewReport& load) {
                std::string text;
                for (const auto& [name, share] : kQuantiles) {
                  text += (text.empty() ? "" : " / ") + short_number(quantile_us(load, share));
                }
                return text;
              });
  write_loads(out, results, "ns of wall time for an id, by threads", kFewThreads,
              [](const CrewReport& load) { return short_number(cost_ns(load)); });
}

void write_outage_table(std::ostream& out, const PeerResults& results) {
  Table table(
      out, {"", "ids/s before", "ids/s while the database is down", "ms from its start to an id"});
  for (const auto& [name, what] : results.peers) {
    const auto found = results.outages.find(name);
    if (found == results.outages.end()) continue;
    const Outage& outage = found->second;
    table.row({what, short_number(outage.before_per_second), short_number(outage.during_per_second),
               short_number(outage.back_ms)});
  }
}

void write_loss_table(std::ostream& out, const PeerResults& results) {
  Table table(out, {"killed", "ids answered", "repeated", "lost"});
  for (const auto& [name, what] : results.peers) {
    for (const char* killed : {"server", "database", "application"}) {
      const auto found = results.losses.find({name, killed});
      if (found == results.losses.end()) continue;
      const Loss& loss = found->second;
      table.row({what + ": " + killed, short_number(static_cast<double>(loss.answered)),
                 std::to_string(loss.repeated), std::to_string(loss.lost)});
    }
  }
}

// --- plots ---

template <typename Counts>
void write_plot(const PeerResults& results, const std::string& file, Plot plot,
                const Counts& counts, const std::function<double(const CrewReport&)>& value) {
  for (const auto& [name, what] : results.peers) {
    std::vector<Plot::Point> points;
    for (const int clients : counts) {
      const CrewReport* const load = find_load(results, name, clients);
      if (load != nullptr) points.push_back({static_cast<double>(clients), value(*load)});
    }
    if (!points.empty()) plot.add(name, std::move(points));
  }
  plot.write(file);
}

void write_plots(const PeerResults& results, const std::string& folder) {
  write_plot(results, folder + "/peers_ids.svg", Plot("Ids per second", "clients", "ids/s"),
             kClientCounts, [](const CrewReport& load) { return load.per_second(); });
  write_plot(results, folder + "/peers_p99.svg",
             Plot("99th percentile of the time until an id comes", "clients", "µs"), kClientCounts,
             [](const CrewReport& load) { return quantile_us(load, 0.99); });
  write_plot(
      results, folder + "/peers_cost.svg",
      Plot("Cost of an id by threads", "threads", "ns per id (wall time / ids of all threads)"),
      kFewThreads, cost_ns);
}

}  // namespace

void print_peers(const PeerResults& results) {
  for (const auto& [key, load] : results.loads) {
    const std::string name = key.first + ".c" + std::to_string(key.second) + ".";
    figure(name + "ids", load.per_second(), "per-s");
    for (const auto& [quantile, share] : kQuantiles) {
      figure(name + quantile, quantile_us(load, share), "us");
    }
    figure(name + "refused", static_cast<double>(load.refused + load.broken), "calls");
    if (!load.ids.empty()) {
      figure(name + "repeated", static_cast<double>(loss_of(load.ids).repeated), "ids");
    }
  }
  for (const auto& [name, outage] : results.outages) {
    figure(name + ".outage.before", outage.before_per_second, "per-s");
    figure(name + ".outage.during", outage.during_per_second, "per-s");
    figure(name + ".outage.back", outage.back_ms, "ms");
  }
  for (const auto& [key, loss] : results.losses) {
    const std::string name = key.first + ".kill_" + key.second + ".";
    figure(name + "answered", static_cast<double>(loss.answered), "ids");
    figure(name + "repeated", static_cast<double>(loss.repeated), "ids");
    figure(name + "lost", static_cast<double>(loss.lost), "ids");
  }
}

void write_peers(const PeerResults& results, const std::string& folder) {
  const std::string file = folder + "/peers.md";
  std::ofstream out(file);
  if (!results.loads.empty()) write_load_tables(out, results);
  if (!results.outages.empty()) write_outage_table(out, results);
  if (!results.losses.empty()) write_loss_table(out, results);
  out.close();
  if (!out) throw std::runtime_error("cannot write " + file);
  if (!results.loads.empty()) write_plots(results, folder);
}

}  // namespace featherid::bench
