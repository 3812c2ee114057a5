suffix      = "team-a"
package_dir = "/nowhere"
