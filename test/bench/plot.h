// SPDX-License-Identifier: MIT
#ifndef FEATHERID_TEST_BENCH_PLOT_H_
#define FEATHERID_TEST_BENCH_PLOT_H_

#include <iosfwd>
#include <string>
#include <vector>

namespace featherid::bench {

// Lines over counts of threads or clients, from 1 up, with a logarithmic scale on both axes, as an
// SVG file.
class Plot {
 public:
  struct Point {
    double x;
    double y;
  };

  Plot(std::string title, std::string x_label, std::string y_label);

  // Points by ascending x. All values are above 0. The first line has all the xs.
  void add(std::string name, std::vector<Point> points);

  // Requires at least one line. Throws if the file cannot be written.
  void write(const std::string& file) const;

 private:
  struct Line {
    std::string name;
    std::vector<Point> points;
  };

  Point place(Point value) const;  // on the page
  void draw_axes(std::ostream& out) const;
  void draw_line(std::ostream& out, std::size_t index, double label_y) const;
  std::vector<double> label_heights() const;

  std::string title_;
  std::string x_label_;
  std::string y_label_;
  std::vector<Line> lines_;
  double x_max_ = 1;
  double y_min_ = 1;
  double y_max_ = 1;
};

}  // namespace featherid::bench

#endif  // FEATHERID_TEST_BENCH_PLOT_H_
