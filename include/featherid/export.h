// SPDX-License-Identifier: MIT
#ifndef FEATHERID_EXPORT_H_
#define FEATHERID_EXPORT_H_

// Marks what the shared library shows; everything else is hidden (-fvisibility=hidden).
#if defined(__GNUC__)
#define FEATHERID_EXPORT [[gnu::visibility("default")]]
#define FEATHERID_COLD [[gnu::cold, gnu::noinline]]
// What the compiler may take for granted: behaviour is undefined where it does not hold.
#define FEATHERID_ASSUME(condition) ((condition) ? void() : __builtin_unreachable())
#else
#define FEATHERID_EXPORT
#define FEATHERID_COLD
#define FEATHERID_ASSUME(condition) void()
#endif

#endif  // FEATHERID_EXPORT_H_
