#pragma once
#include "core/on_pool.hpp"
