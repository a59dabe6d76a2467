a = Array(String).new; 300000.times{|i| a << i.to_s; a.clear if i%1000==0}; puts a.size
