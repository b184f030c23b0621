#pragma once

#include <sched.h>

namespace tocsin::testing {

/// Keeps the test, and every server that it starts meanwhile, on one processor. They only ever wait for each
/// other, so a second processor brings nothing, and waking it costs more than what is asked. Each processor
/// is for one such test at a time: if there are more tests than that, some run as they otherwise would.
class one_processor {
public:
    one_processor() noexcept;
    ~one_processor();
    one_processor(const one_processor&) = delete;
    one_processor& operator=(const one_processor&) = delete;

private:
    cpu_set_t before_{};
    int claim_ = -1;
};

}  // namespace tocsin::testing
