// SPDX-License-Identifier: MIT
#ifndef FEATHERID_LIB_BASE_STAY_LOADED_H_
#define FEATHERID_LIB_BASE_STAY_LOADED_H_

#include <dlfcn.h>

namespace featherid {

// Keeps dlclose() from unloading the module that this is compiled into, FeatherID's own library or
// a plugin that contains it. A thread left behind in a call of a store or driver returns to this
// code, so it must still be there. Call it in a constructor at load time. A thread must not wait
// for the loader's lock: a static initialiser in dlopen() holds it, and may wait for the thread.
inline void stay_loaded() {
  Dl_info module{};
  if (::dladdr(reinterpret_cast<const void*>(&stay_loaded), &module) == 0) return;
  // In the program itself this finds nothing, and nothing is needed.
  static_cast<void>(::dlopen(module.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE));
}

}  // namespace featherid

#endif  // FEATHERID_LIB_BASE_STAY_LOADED_H_
