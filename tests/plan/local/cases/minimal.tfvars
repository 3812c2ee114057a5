suffix       = "laptop"
architecture = "arm64"
package_dir  = "../../build"
