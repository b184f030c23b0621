#pragma once

namespace tocsin::http2 {

/// Sets a flag for as long as it lives: while a session is on the stack, it must be neither called nor
/// closed.
class scope_flag {
public:
    explicit scope_flag(bool& flag) noexcept : flag_(flag) { flag_ = true; }
    ~scope_flag() { flag_ = false; }
    scope_flag(const scope_flag&) = delete;
    scope_flag& operator=(const scope_flag&) = delete;

private:
    bool& flag_;
};

}  // namespace tocsin::http2
