// The main of every test program that needs nothing from outside.

#define BOOST_TEST_MODULE zeroshelf
#include <boost/test/unit_test.hpp>
